//! What a server does besides reading requests: answers, and what becomes of the connection. What the paths are is told in
//! `server/app.rs`.

/// A `GET`, and what is behind it.
macro_rules! get {
    ($target:literal $(, $more:expr)*) => {
        [concat!("GET ", $target, " HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes() $(, &$more[..])*].concat()
    };
}

/// Any request with these fields and this body.
macro_rules! request {
    ($line:literal, $fields:literal, $body:expr) => {
        [
            concat!($line, " HTTP/1.1\r\nHost: x\r\n", $fields, "\r\n").as_bytes(),
            &$body[..],
        ]
        .concat()
    };
}

const NEVER: &[u8] = b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n";
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

cases! {
    "RFC 9110 section 9: methods" {
        get_of_a_path: get!("/a");
        head_of_a_path: request!("HEAD /a", "", NEXT);
        head_of_a_stream: request!("HEAD /stream", "", NEXT);
        head_of_a_large_body: request!("HEAD /large?size=70000", "", NEXT);
        head_of_what_comes_later: request!("HEAD /after?ms=1", "", NEXT);
        head_of_an_error: request!("HEAD /status?is=404", "", NEXT);
        head_of_nothing: request!("HEAD /status?is=204", "", NEXT);
        head_with_a_body: request!("HEAD /a", "Content-Length: 3\r\n", [b"abc", NEXT].concat());
        a_refused_head: b"HEAD / HTTP/1.1\r\n\r\n";
        a_head_whose_expectation_is_unknown: request!("HEAD /", "Expect: a\r\n", NEVER);
        a_head_whose_body_is_too_large: request!("HEAD /", "Content-Length: 99999999\r\n", NEVER);
        put_with_a_body: request!("PUT /a", "Content-Length: 3\r\n", [b"abc", NEXT].concat());
        delete: request!("DELETE /a", "", NEXT);
        patch_with_chunks: request!("PATCH /a", "Transfer-Encoding: chunked\r\n", [b"3\r\nabc\r\n0\r\n\r\n", NEXT].concat());
        options_of_everything: request!("OPTIONS *", "", NEXT);
        trace: request!("TRACE /a", "", NEXT);
        a_method_of_our_own: request!("BREW /pot", "", NEXT);
        connect_to_another: request!("CONNECT other:443", "", NEVER);
        connect_in_1_0: b"CONNECT other:443 HTTP/1.0\r\n\r\n";
    }
    "RFC 9110 section 15, RFC 9112 section 6: statuses, and the lengths of answers" {
        no_content: get!("/status?is=204", NEXT);
        not_modified: get!("/status?is=304", NEXT);
        not_found: get!("/status?is=404", NEXT);
        a_status_without_a_name: get!("/status?is=299", NEXT);
        unavailable: get!("/status?is=503", NEXT);
        an_empty_stream: get!("/stream?count=0", NEXT);
        a_stream_of_unknown_length: get!("/stream", NEXT);
        a_stream_of_large_chunks: get!("/stream?count=2&size=300", NEXT);
        a_stream_of_known_length: get!("/stream?length=15", NEXT);
        a_stream_that_gives_too_much: get!("/stream?length=12", NEXT);
        a_stream_that_gives_too_little: get!("/stream?length=16", NEVER);
        a_stream_with_pauses: get!("/stream?ms=1", NEXT);
        an_answer_that_comes_later: get!("/after?ms=2", NEXT);
        a_large_answer: get!("/large?size=50000", NEXT);
    }
    "RFC 9112 section 9.3: persistence, and its end" {
        keep_alive_in_1_1: request!("GET /a", "Connection: keep-alive\r\n", NEXT);
        close_and_another: request!("GET /a", "Connection: close\r\n", NEVER);
        close_with_a_body: request!("POST /a", "Connection: close\r\nContent-Length: 3\r\n", [b"abc", NEVER].concat());
        close_of_a_stream: request!("GET /stream", "Connection: close\r\n", NEVER);
        close_that_the_application_wants: get!("/close", NEVER);
        http_1_0: b"GET /a HTTP/1.0\r\n\r\nGET /never HTTP/1.0\r\n\r\n";
        http_1_0_that_stays: b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n";
        http_1_0_then_1_1: b"GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n";
        a_stream_in_1_0: b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /never HTTP/1.0\r\n\r\n";
        a_stream_of_known_length_in_1_0: b"GET /stream?length=15 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n";
        head_of_a_stream_in_1_0: b"HEAD /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n";
        nothing_in_1_0: b"GET /status?is=204 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n";
        an_upgrade_that_is_not_taken: request!("GET /a", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", NEXT);
        the_proxys_connection: request!("GET /a", "Proxy-Connection: close\r\n", NEXT);
    }
    "RFC 9112 section 9.3.2: pipelines" {
        two_gets: get!("/a", NEXT);
        get_post_get: get!("/a", b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", NEXT);
        a_stream_and_a_post: get!("/stream", b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", NEXT);
        a_later_one_and_a_chunked_one: get!("/after?ms=1", b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", NEXT);
        twenty_gets: NEXT.repeat(20);
        an_empty_line_after_a_body: request!("POST /a", "Content-Length: 3\r\n", [b"abc\r\n", NEXT].concat());
        an_empty_line_before_each: [&b"\r\n"[..], NEXT].concat().repeat(3);
        two_empty_lines: [b"\r\n\r\n", NEVER].concat();
        two_empty_lines_between: [NEXT, b"\r\n\r\n", NEVER].concat();
        an_error_between: [NEXT, b"GET /b\r\n\r\n", NEVER].concat();
        an_error_behind_a_later_one: get!("/after?ms=1", b"GET /b HTTP/1.1\r\n\r\n", NEVER);
        a_request_that_is_not_complete: [NEXT, b"GET /b HTTP/1.1\r\nHost: x\r\n"].concat();
        a_body_that_is_not_complete: request!("POST /b", "Content-Length: 3\r\n", b"ab");
    }
    "RFC 9110 section 10.1.1: expectations" {
        an_expected_body: request!("POST /a", "Expect: 100-continue\r\nContent-Length: 3\r\n", [b"abc", NEXT].concat());
        an_expected_upload: request!("POST /upload", "Expect: 100-continue\r\nContent-Length: 3\r\n", [b"abc", NEXT].concat());
        expected_chunks: request!("POST /a", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", [b"3\r\nabc\r\n0\r\n\r\n", NEXT].concat());
        an_expected_body_of_get_behind_another: get!("/after?ms=1", b"GET /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", NEXT);
        an_expected_body_that_nobody_wants: request!("POST /nothing", "Expect: 100-continue\r\nContent-Length: 3\r\n", [b"abc", NEVER].concat());
        an_expected_body_that_is_too_large: request!("POST /a", "Expect: 100-continue\r\nContent-Length: 99999999\r\n", NEVER);
        an_expectation_of_nothing: request!("POST /a", "Expect: 100-continue\r\nContent-Length: 0\r\n", NEXT);
        an_empty_expectation: request!("POST /a", "Expect:\r\nContent-Length: 3\r\n", [b"abc", NEXT].concat());
        an_expectation_from_1_0: b"POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc";
        an_unknown_expectation: request!("POST /a", "Expect: 102-processing\r\nContent-Length: 3\r\n", [b"abc", NEVER].concat());
        an_expectation_with_a_parameter: request!("POST /a", "Expect: 100-continue;a=b\r\nContent-Length: 3\r\n", [b"abc", NEVER].concat());
    }
    "RFC 9112 sections 6.3 and 7: bodies, and where they end" {
        an_upload: request!("POST /upload", "Content-Length: 3\r\n", [b"abc", NEXT].concat());
        an_upload_of_chunks: request!("POST /upload", "Transfer-Encoding: chunked\r\n", [b"2;a=b\r\nab\r\n1\r\nc\r\n0\r\nA: b\r\n\r\n", NEXT].concat());
        a_body_that_nobody_wants: request!("POST /nothing", "Content-Length: 3\r\n", [b"abc", NEXT].concat());
        chunks_that_nobody_wants: request!("POST /nothing", "Transfer-Encoding: chunked\r\n", [b"3\r\nabc\r\n0\r\n\r\n", NEXT].concat());
        a_body_too_large_to_be_thrown_away: request!("POST /nothing", "Content-Length: 65537\r\n", NEVER);
        bad_chunks_that_nobody_wants: request!("POST /nothing", "Transfer-Encoding: chunked\r\n", [b"3\r\nabcd\r\n0\r\n\r\n", NEVER].concat());
        bad_chunks: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"3\r\nabcd\r\n0\r\n\r\n", NEVER].concat());
        bad_chunks_of_an_upload: request!("POST /upload", "Transfer-Encoding: chunked\r\n", [b"3\r\nabcd\r\n0\r\n\r\n", NEVER].concat());
        a_body_that_is_declared_too_large: request!("POST /a", "Content-Length: 33554433\r\n", NEVER);
        a_chunk_that_is_too_large: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"2000001\r\n", NEVER].concat());
        a_body_of_6000: request!("POST /a", "Content-Length: 6000\r\n", [&b"x".repeat(6_000), NEXT].concat());
        a_chunk_of_6000: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"1770\r\n", &b"x".repeat(6_000)[..], b"\r\n0\r\n\r\n", NEXT].concat());
        fifty_chunks: request!("POST /a", "Transfer-Encoding: chunked\r\n", [&b"1\r\nx\r\n".repeat(50)[..], b"0\r\n\r\n", NEXT].concat());
    }
    "RFC 9112 section 11.2: what a front that reads otherwise would take for a second request" {
        length_and_chunks: request!("POST /a", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", [b"0\r\n\r\nG", NEVER].concat());
        chunks_and_length: request!("POST /a", "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", [b"0\r\n\r\nG", NEVER].concat());
        two_different_lengths: request!("POST /a", "Content-Length: 0\r\nContent-Length: 32\r\n", NEVER);
        a_length_behind_a_space: request!("POST /a", "Content-Length : 32\r\n", NEVER);
        a_length_in_a_folded_line: request!("POST /a", "A: b\r\n Content-Length: 32\r\n", NEVER);
        a_length_behind_a_bare_cr: request!("POST /a", "A: b\rContent-Length: 32\r\n", NEVER);
        a_length_behind_a_bare_lf: request!("POST /a", "A: b\nContent-Length: 32\r\n", NEVER);
        a_length_behind_a_nul: request!("POST /a", "A: b\0\r\nContent-Length: 32\r\n", NEVER);
        chunked_behind_a_tab: request!("POST /a", "Transfer-Encoding:\tchunked\r\n", [b"0\r\n\r\n", NEXT].concat());
        chunked_with_a_bare_cr: request!("POST /a", "Transfer-Encoding: chunked\r\rA: b\r\n", [b"0\r\n\r\n", NEVER].concat());
        chunked_in_a_folded_line: request!("POST /a", "Transfer-Encoding:\r\n chunked\r\n", [b"0\r\n\r\n", NEVER].concat());
        a_coding_and_a_length: request!("POST /a", "Transfer-Encoding: identity\r\nContent-Length: 3\r\n", [b"abc", NEVER].concat());
        chunked_from_1_0: [&b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n"[..], NEVER].concat();
        a_get_with_a_request_for_a_body: request!("GET /a", "Content-Length: 37\r\n", [NEVER, &b"abcde"[..], NEXT].concat());
        a_size_that_overflows: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"10000000000000001\r\nx\r\n0\r\n\r\n", NEVER].concat());
        a_size_with_a_bare_lf: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"1\nx\n0\n\n", NEVER].concat());
        an_extension_with_a_bare_lf: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"1;\nx\r\n0\r\n\r\n", NEVER].concat());
        a_last_chunk_of_many_zeros: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"00000000\r\n\r\n", NEXT].concat());
        trailers_that_frame: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"0\r\nContent-Length: 32\r\nTransfer-Encoding: x\r\n\r\n", NEVER].concat());
        an_underscore_for_a_hyphen: request!("POST /a", "Content_Length: 32\r\n", NEXT);
        a_second_host_in_an_absolute_target: [&b"GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n"[..], NEXT].concat();
    }
    "RFC 9110 section 15.5, RFC 6585 section 5: limits" {
        a_line_of_8000: [b"GET /", &b"a".repeat(7_986)[..], b" HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
        a_line_above_its_limit: [b"GET /", &b"a".repeat(16_371)[..], b" HTTP/1.1\r\nHost: x\r\n\r\n", NEVER].concat();
        a_method_above_the_limit_of_lines: [&b"A".repeat(16_385)[..], b" / HTTP/1.1\r\nHost: x\r\n\r\n", NEVER].concat();
        a_head_above_its_limit: [&b"GET / HTTP/1.1\r\nHost: x\r\nA: "[..], &b"a".repeat(65_536), b"\r\n\r\n", NEVER].concat();
        a_thousand_fields: [&b"GET /a HTTP/1.1\r\nHost: x\r\n"[..], &b"A: b\r\n".repeat(999), b"\r\n", NEXT].concat();
        a_thousand_and_one_fields: [&b"GET /a HTTP/1.1\r\nHost: x\r\n"[..], &b"A: b\r\n".repeat(1_000), b"\r\n", NEVER].concat();
        a_size_line_above_its_limit: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"1;a=", &b"b".repeat(4_093)[..], b"\r\nx\r\n0\r\n\r\n", NEVER].concat());
        trailers_above_their_limit: request!("POST /a", "Transfer-Encoding: chunked\r\n", [b"0\r\nA: ", &b"b".repeat(16_384)[..], b"\r\n\r\n", NEVER].concat());
    }
}
