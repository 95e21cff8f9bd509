//! Bad flags, the access log.

use super::client::Client;
use crate::server::{Server, run, sockman};
use sockman_node::Choice;

#[test]
fn flags_that_contradict_each_other_are_refused() {
    for (flags, expected) in [
        (&["--rpc-user", "u"][..], "--rpc-password"),
        (&["--rpc-password", "p"], "--rpc-user"),
        (
            &["--rpc-user", "u", "--rpc-password", "p", "--rpc-cookie", "c"],
            "cannot be used with",
        ),
        (&["--probe", "--bitcoin-compat"], "cannot be used with"),
        (&["--probe", "--rpc-cookie", "c"], "cannot be used with"),
        (&["--shards", "0"], "--shards"),
        (&["--idle-timeout", "0"], "must be above 0"),
        (&["--max-body", "1.5MiB"], "write a number of bytes"),
        (&["--read-buffer", "0"], "must be above 0"),
        (&["--pipeline", "0"], "--pipeline"),
        (
            &["--max-head", "1MiB"],
            "sockman: --max-head (1MiB) must be below --max-unread (1MiB)",
        ),
        (
            &["--send-low", "1GiB"],
            "sockman: --send-low (1GiB) must be above 0 and at most --send-high (256KiB)",
        ),
        (
            &["--send-limit", "1MiB"],
            "sockman: --send-limit (1MiB) must be above --max-body (32MiB)",
        ),
        (&["--backend", "pigeon"], "sockman: unknown backend `pigeon`"),
    ] {
        let mut args = vec!["http", "--listen", "127.0.0.1:0"];
        args.extend(flags);
        let output = run(&args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {stderr}");
        assert!(stderr.contains(expected), "{flags:?}: {stderr}");
        assert!(output.stdout.is_empty(), "it must not have listened");
    }
    assert_eq!(run(&["http"]).status.code(), Some(2), "it must listen somewhere");
}

#[test]
fn an_address_in_use_is_told_with_one_loop_or_several() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("its address").to_string();
    for backend in Choice::compiled().map(Choice::name) {
        for shards in ["1", "2"] {
            let output = run(&["http", "--listen", &at, "--backend", backend, "--shards", shards]);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{stderr}");
            let expected = format!("sockman: cannot listen on {at}: Address already in use");
            assert!(stderr.starts_with(&expected), "{stderr}");
        }
    }
}

#[test]
fn the_access_log_has_a_line_for_each_answer_and_is_off_unless_asked_for() {
    let name = Choice::preferred().expect("one is compiled in").name();
    let logged = |flags: &[&str], variable: Option<&str>| {
        let mut command = sockman();
        command.args(["http", "--listen", "127.0.0.1:0"]).args(flags);
        if let Some(value) = variable {
            command.env("SOCKMAN_LOG", value);
        }
        let server = Server::spawn(&mut command, name, 1);
        let mut client = Client::new(&server.at[0]);
        assert_eq!(client.get("/hello?q").status, 200);
        assert_eq!(client.get("/worker").status, 200);
        assert_eq!(client.get("/nowhere").status, 404);
        drop(client);
        server.stop().stderr
    };
    assert_eq!(logged(&[], None), "");
    assert!(!logged(&["-v"], None).contains("answered"));
    for log in [
        logged(&["--access-log"], None),
        logged(&[], Some("sockman_http::access=info")),
    ] {
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines.len(), 3, "{log}");
        for (line, (target, status)) in
            lines
                .iter()
                .zip([("/hello?q", 200), ("/worker", 200), ("/nowhere", 404)])
        {
            assert!(line.contains("INFO sockman_http::access: answered"), "{line}");
            assert!(line.contains("method=\"GET\""), "{line}");
            assert!(line.contains(&format!("target=\"{target}\"")), "{line}");
            assert!(line.contains(&format!("status={status}")), "{line}");
        }
    }
}
