//! What can be measured.

use crate::ibd::IN_FLIGHT;
use clap::ValueEnum;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Every connection sends messages and waits for their echoes
    Echo,
    /// One connection does, among many that are idle
    EchoIdle,
    /// Another thread sends to an idle connection
    Wake,
    /// Requests over HTTP, one at a time on connections that stay
    Http,
    /// Sixteen at a time, written together
    HttpPipeline,
    /// A connection for each request
    HttpClose,
    /// Requests with a body of 1 KiB, which comes back
    HttpPost,
    /// JSON-RPC over HTTP, with authentication
    Jsonrpc,
    /// A few connections, whose requests a worker thread answers
    HttpTail,
    /// A chain of blocks is downloaded, and served
    Ibd,
    /// A template provider answers its clients, and tells them of tips
    Sv2,
}

impl Work {
    /// No more requests are pipelined: all answers must fit into one buffer of a server that has no other.
    pub const MOST_PIPELINED: u64 = 256;

    /// As in arguments and rows.
    pub fn name(self) -> &'static str {
        match self {
            Work::Echo => "echo",
            Work::EchoIdle => "echo-idle",
            Work::Wake => "wake",
            Work::Http => "http",
            Work::HttpPipeline => "http-pipeline",
            Work::HttpClose => "http-close",
            Work::HttpPost => "http-post",
            Work::Jsonrpc => "jsonrpc",
            Work::HttpTail => "http-tail",
            Work::Ibd => "ibd",
            Work::Sv2 => "sv2",
        }
    }

    /// Whether messages are requests and answers of HTTP.
    pub fn is_http(self) -> bool {
        !matches!(
            self,
            Work::Echo | Work::EchoIdle | Work::Wake | Work::Ibd | Work::Sv2
        )
    }

    /// How many messages a connection keeps outstanding, given how many are wished for: requests over HTTP follow each
    /// other, except where pipelining is what is measured.
    pub fn depth(self, wished: Option<u64>) -> usize {
        match self {
            Work::Echo | Work::EchoIdle => wished.unwrap_or(1) as usize,
            Work::Ibd => IN_FLIGHT,
            Work::HttpPipeline => wished.unwrap_or(16).min(Work::MOST_PIPELINED) as usize,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_arguments() {
        for work in Work::value_variants() {
            assert_eq!(
                Work::from_str(work.name(), false).as_ref(),
                Ok(work),
                "{}",
                work.name()
            );
        }
    }

    #[test]
    fn only_what_can_be_pipelined_is() {
        assert_eq!((Work::Echo.depth(None), Work::Echo.depth(Some(4))), (1, 4));
        assert_eq!(
            (Work::HttpPipeline.depth(None), Work::HttpPipeline.depth(Some(4))),
            (16, 4)
        );
        assert_eq!(Work::HttpPipeline.depth(Some(1000)) as u64, Work::MOST_PIPELINED);
        for work in [Work::Http, Work::HttpClose, Work::HttpPost, Work::HttpTail] {
            assert_eq!(work.depth(Some(4)), 1, "{}", work.name());
        }
    }
}
