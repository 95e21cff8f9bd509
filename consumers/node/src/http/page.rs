//! The paths of the site, and what may be done with each.

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// Sends a request's body back.
    Echo,
    Hello,
    /// So many bytes.
    Stream(u64),
    Events,
    /// As [`Page::Hello`], by a worker.
    Worker,
    Metrics,
    Health,
    Rpc,
    /// A page for browsers, which tries the others.
    Browser,
    /// The server itself (`*`), which can only be asked for its options.
    Server,
}

impl Page {
    /// The page at a path. Only what is written here is one: no other spelling (dots, slashes, percent signs) of a path is it.
    ///
    /// `bitcoin_compat`: JSON-RPC is where Bitcoin Core has it.
    pub(super) fn find(path: &str, bitcoin_compat: bool) -> Option<Page> {
        Some(match path {
            "/" if bitcoin_compat => Page::Rpc,
            _ if bitcoin_compat && path.starts_with("/wallet/") => Page::Rpc,
            "/rpc" if !bitcoin_compat => Page::Rpc,
            // Nothing is left of an absolute target that is followed by its query at once; it means the root (RFC 9110
            // section 4.2.3).
            "" | "/" | "/echo" => Page::Echo,
            "/hello" => Page::Hello,
            "/sse" => Page::Events,
            "/worker" => Page::Worker,
            "/metrics" => Page::Metrics,
            "/healthz" => Page::Health,
            "/browser" => Page::Browser,
            "*" => Page::Server,
            _ => Page::Stream(number(path.strip_prefix("/stream/")?)?),
        })
    }

    /// The methods that it takes, as `Allow` has them.
    pub(super) fn allow(self) -> &'static str {
        match self {
            Page::Rpc => "POST",
            Page::Echo | Page::Server => "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH",
            _ => "GET, HEAD, OPTIONS",
        }
    }

    pub(super) fn takes(self, method: &str) -> bool {
        self.allow().split(", ").any(|one| one == method)
    }
}

/// Whether any page takes this method; otherwise it is not implemented (RFC 9110 section 9.1).
pub(super) fn is_implemented(method: &str) -> bool {
    Page::Echo.takes(method)
}

/// Digits, and nothing else.
fn number(digits: &str) -> Option<u64> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_is_written() {
        assert_eq!(Page::find("/", false), Some(Page::Echo));
        assert_eq!(Page::find("/stream/0", false), Some(Page::Stream(0)));
        assert_eq!(
            Page::find("/stream/18446744073709551615", false),
            Some(Page::Stream(u64::MAX))
        );
        for unknown in [
            "/hello/",
            "//hello",
            "/./hello",
            "/x/../hello",
            "/%68ello",
            "/Hello",
            "/stream",
            "/stream/",
            "/stream/-1",
            "/stream/+1",
            "/stream/1/",
            "/stream/1x",
            "/stream/18446744073709551616",
            "/..",
            "hello",
            "example.org:80",
        ] {
            assert_eq!(Page::find(unknown, false), None, "{unknown}");
            assert_eq!(Page::find(unknown, true), None, "{unknown}");
        }
    }

    #[test]
    fn rpc_is_at_the_root_for_bitcoin_and_there_alone() {
        for (path, usual, compat) in [
            ("/", Some(Page::Echo), Some(Page::Rpc)),
            ("/rpc", Some(Page::Rpc), None),
            ("/wallet/w", None, Some(Page::Rpc)),
            ("/wallet", None, None),
        ] {
            assert_eq!(
                (Page::find(path, false), Page::find(path, true)),
                (usual, compat),
                "{path}"
            );
        }
    }

    #[test]
    fn methods_are_case_sensitive_and_whole() {
        assert!(Page::Echo.takes("PATCH") && Page::Hello.takes("HEAD"));
        assert!(!Page::Hello.takes("POST"));
        for unknown in ["get", "PAT", "GET, HEAD", "TRACE", "CONNECT", ""] {
            assert!(!is_implemented(unknown), "{unknown}");
        }
    }
}
