//! The table: by section, a name, the bytes, and what the decoder is to make of them. Whoever includes this has a macro `cases`.

/// A chunked request with this body.
macro_rules! chunked {
    ($body:literal) => {
        &[
            &b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
            &$body[..],
        ]
        .concat()
    };
}

cases! {
    "RFC 9112 section 3: the request line; section 2.3 and RFC 9110 section 2.5: versions" {
        a_plain_get: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" => "GET / 1.1 keep;";
        two_requests: b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n" => "GET /a 1.1 keep; GET /b 1.1 keep;";
        half_a_request: b"GET / HTTP/1.1\r\nHo" => "…";
        nothing: b"" => "";
        an_unknown_method: b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n" => "BREW /pot 1.1 keep;";
        a_method_of_all_token_chars: b"!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: x\r\n\r\n" => "!#$%&'*+-.^_`|~09azAZ / 1.1 keep;";
        methods_are_case_sensitive: b"get / HTTP/1.1\r\nHost: x\r\n\r\n" => "get / 1.1 keep;";
        a_method_with_a_colon: b"GET: / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_method_in_brackets: b"(GET) / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        no_method: b" / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        no_target: b"GET HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        no_version: b"GET /\r\nHost: x\r\n\r\n" => "400";
        http_0_9: b"GET /\r\n\r\n" => "400";
        two_spaces_after_the_method: b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        two_spaces_after_the_target: b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_tab_for_a_space: b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_space_behind_the_version: b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n" => "400";
        a_space_in_the_target: b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_lower_case_version: b"GET / http/1.1\r\nHost: x\r\n\r\n" => "400";
        another_protocol: b"GET / ICAP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_version_without_a_minor: b"GET / HTTP/1\r\nHost: x\r\n\r\n" => "400";
        a_version_of_two_digits: b"GET / HTTP/1.10\r\nHost: x\r\n\r\n" => "400";
        a_version_with_a_comma: b"GET / HTTP/1,1\r\nHost: x\r\n\r\n" => "400";
        a_version_of_letters: b"GET / HTTP/a.b\r\nHost: x\r\n\r\n" => "400";
        version_1_2: b"GET / HTTP/1.2\r\nHost: x\r\n\r\n" => "GET / 1.1 keep;";
        version_1_9: b"GET / HTTP/1.9\r\nHost: x\r\n\r\n" => "GET / 1.1 keep;";
        version_2_0: b"GET / HTTP/2.0\r\nHost: x\r\n\r\n" => "505";
        version_0_9: b"GET / HTTP/0.9\r\nHost: x\r\n\r\n" => "505";
        version_9_9: b"GET / HTTP/9.9\r\nHost: x\r\n\r\n" => "505";
        the_preface_of_http_2: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" => "505";
        a_tls_client_hello: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" => "400";
        a_nul_in_the_request_line: b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_bare_cr_in_the_request_line: b"GET /\r HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        an_empty_line_first: b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" => "GET / 1.1 keep;";
        an_empty_line_between: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" => "GET / 1.1 keep; GET / 1.1 keep;";
        two_empty_lines_first: b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_line_of_spaces: b"   \r\n\r\n" => "400";
        a_version_of_two_digits_each: b"GET / HTTP/01.01\r\nHost: x\r\n\r\n" => "400";
        a_version_with_a_space: b"GET / HTTP/ 1.1\r\nHost: x\r\n\r\n" => "400";
        a_version_without_a_point: b"GET / HTTP/111\r\nHost: x\r\n\r\n" => "400";
        a_version_of_many_digits: b"GET / HTTP/1111111111.1\r\nHost: x\r\n\r\n" => "400";
        line_feeds_for_spaces: b"GET\n/\nHTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_bare_cr_for_the_end_of_the_line: b"GET / HTTP/1.1\rHost: x\r\n\r\n" => "400";
        a_method_above_127: b"GET\xdf / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_method_with_a_nul: b"GET\0 / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_line_for_another_protocol: b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        another_line_in_front: b"Extra lineGET / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_space_first: b" GET / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
    }

    "RFC 9112 section 2.2: lines" {
        a_bare_lf_after_the_request_line: b"GET / HTTP/1.1\nHost: x\r\n\r\n" => "400";
        a_bare_lf_after_a_field: b"GET / HTTP/1.1\r\nHost: x\n\r\n" => "400";
        a_bare_lf_at_the_end: b"GET / HTTP/1.1\r\nHost: x\r\n\n" => "400";
        only_bare_lfs: b"GET / HTTP/1.1\nHost: x\n\n" => "400";
        a_bare_lf_first: b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_bare_cr_first: b"\rGET / HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        two_crs: b"GET / HTTP/1.1\r\r\nHost: x\r\n\r\n" => "400";
        white_space_before_the_first_field: b"GET / HTTP/1.1\r\n Host: x\r\n\r\n" => "400";
    }

    "RFC 9112 section 3.2: targets" {
        a_query: b"GET /a?b=c&d HTTP/1.1\r\nHost: x\r\n\r\n" => "GET /a?b=c&d 1.1 keep;";
        what_browsers_leave_as_it_is: b"GET /a?b[]={|}^` HTTP/1.1\r\nHost: x\r\n\r\n" => "GET /a?b[]={|}^` 1.1 keep;";
        a_fragment: b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        bytes_above_127: b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_backslash: b"GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_backslash_in_a_query: b"GET /a?b\\c HTTP/1.1\r\nHost: x\r\n\r\n" => "GET /a?b\\c 1.1 keep;";
        a_backslash_in_an_absolute_target: b"GET http://h/a\\b HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        overlong_utf_8: b"GET /\xc0\xaf HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        what_is_wrong_only_when_decoded: b"GET /%00%0d%0aA:%20b%c0%af HTTP/1.1\r\nHost: x\r\n\r\n" => "GET /%00%0d%0aA:%20b%c0%af 1.1 keep;";
        quotes_and_brackets: b"GET /a\"b\"<c> HTTP/1.1\r\nHost: x\r\n\r\n" => "GET /a\"b\"<c> 1.1 keep;";
        a_relative_path_of_two_parts: b"GET a/b HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_scheme_of_one_letter: b"PUT s://]a/: HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        two_slashes: b"GET //a HTTP/1.1\r\nHost: x\r\n\r\n" => "GET //a 1.1 keep;";
        a_path_without_a_slash: b"GET a HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_query_alone: b"GET ?a HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        absolute: b"GET http://h/a HTTP/1.1\r\nHost: x\r\n\r\n" => "GET http://h/a 1.1 keep Absolute for h;";
        absolute_with_a_port: b"GET HTTPS://h:8/a?b HTTP/1.1\r\nHost: x\r\n\r\n" => "GET HTTPS://h:8/a?b 1.1 keep Absolute for h:8;";
        absolute_of_version_6: b"GET http://[::1]:8080/a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n" => "GET http://[::1]:8080/a 1.1 keep Absolute for [::1]:8080;";
        absolute_with_a_user_and_a_password: b"GET http://u:p@h:80/ HTTP/1.1\r\nHost: h:80\r\n\r\n" => "400";
        absolute_without_a_path: b"GET http://h HTTP/1.1\r\nHost: x\r\n\r\n" => "GET http://h 1.1 keep Absolute for h;";
        absolute_without_a_path_but_a_query: b"GET http://h?a HTTP/1.1\r\nHost: x\r\n\r\n" => "GET http://h?a 1.1 keep Absolute for h;";
        absolute_without_a_host: b"GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        absolute_with_a_user: b"GET http://u@h/ HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        absolute_of_another_scheme: b"GET ftp://h/a HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        absolute_without_a_host_field: b"GET http://h/a HTTP/1.1\r\n\r\n" => "400";
        asterisk: b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" => "OPTIONS * 1.1 keep Asterisk for x;";
        asterisk_with_get: b"GET * HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        asterisk_and_more: b"OPTIONS *a HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        options_of_a_path: b"OPTIONS /a HTTP/1.1\r\nHost: x\r\n\r\n" => "OPTIONS /a 1.1 keep;";
        connect: b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n" => "CONNECT h:443 1.1 keep Authority for h:443;";
        connect_to_version_6: b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n" => "CONNECT [::1]:443 1.1 keep Authority for [::1]:443;";
        connect_without_a_port: b"CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n" => "400";
        connect_with_an_empty_port: b"CONNECT h: HTTP/1.1\r\nHost: h\r\n\r\n" => "400";
        connect_with_a_path: b"CONNECT /a HTTP/1.1\r\nHost: h\r\n\r\n" => "400";
        authority_with_get: b"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n" => "400";
    }

    "RFC 9112 section 3.2 and RFC 9110 section 7.2: Host" {
        no_host_in_1_1: b"GET / HTTP/1.1\r\n\r\n" => "400";
        no_host_in_1_2: b"GET / HTTP/1.2\r\n\r\n" => "400";
        no_host_in_1_0: b"GET / HTTP/1.0\r\n\r\n" => "GET / 1.0 close;";
        two_hosts: b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" => "400";
        two_equal_hosts: b"GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n" => "400";
        two_hosts_in_1_0: b"GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n" => "400";
        two_hosts_in_one: b"GET / HTTP/1.1\r\nHost: x, y\r\n\r\n" => "400";
        an_empty_host: b"GET / HTTP/1.1\r\nHost:\r\n\r\n" => "400";
        a_host_of_spaces: b"GET / HTTP/1.1\r\nHost:   \r\n\r\n" => "400";
        a_host_with_a_port: b"GET / HTTP/1.1\r\nHost: x:80\r\n\r\n" => "GET / 1.1 keep;";
        a_host_with_an_empty_port: b"GET / HTTP/1.1\r\nHost: x:\r\n\r\n" => "GET / 1.1 keep;";
        a_host_with_a_port_of_letters: b"GET / HTTP/1.1\r\nHost: x:a\r\n\r\n" => "400";
        a_host_with_a_port_too_large: b"GET / HTTP/1.1\r\nHost: x:65536\r\n\r\n" => "400";
        a_host_with_a_signed_port: b"GET / HTTP/1.1\r\nHost: x:+80\r\n\r\n" => "400";
        a_host_with_two_ports: b"GET / HTTP/1.1\r\nHost: x:80:80\r\n\r\n" => "400";
        a_port_alone: b"GET / HTTP/1.1\r\nHost: :80\r\n\r\n" => "400";
        a_host_of_version_4: b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8332\r\n\r\n" => "GET / 1.1 keep;";
        a_host_of_version_6: b"GET / HTTP/1.1\r\nHost: [::1]:8332\r\n\r\n" => "GET / 1.1 keep;";
        a_host_of_a_future_version: b"GET / HTTP/1.1\r\nHost: [v1.a:b]\r\n\r\n" => "GET / 1.1 keep;";
        a_host_of_no_version: b"GET / HTTP/1.1\r\nHost: [1.2]\r\n\r\n" => "400";
        an_open_bracket: b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n" => "400";
        letters_behind_a_bracket: b"GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n" => "400";
        a_host_with_an_equals_sign: b"GET / HTTP/1.1\r\nHost: 0.0.0.0=5000\r\n\r\n" => "GET / 1.1 keep;";
        a_host_with_a_nul: b"GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n" => "400";
        a_host_with_percent: b"GET / HTTP/1.1\r\nHost: %41.x\r\n\r\n" => "GET / 1.1 keep;";
        a_host_with_half_a_percent: b"GET / HTTP/1.1\r\nHost: %4\r\n\r\n" => "400";
        a_host_with_a_slash: b"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n" => "400";
        a_host_with_a_scheme: b"GET / HTTP/1.1\r\nHost: http://x\r\n\r\n" => "400";
        a_host_with_a_user: b"GET / HTTP/1.1\r\nHost: u@x\r\n\r\n" => "400";
        a_host_with_a_space: b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n" => "400";
        a_host_above_127: b"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n" => "400";
        a_host_with_a_query: b"GET / HTTP/1.1\r\nHost: x?y\r\n\r\n" => "400";
    }

    "RFC 9112 section 5, RFC 9110 section 5: fields" {
        a_field_without_white_space: b"GET / HTTP/1.1\r\nHost:x\r\n\r\n" => "GET / 1.1 keep;";
        white_space_around_a_value: b"GET / HTTP/1.1\r\nHost: \t x \t \r\n\r\n" => "GET / 1.1 keep;";
        an_empty_value: b"GET / HTTP/1.1\r\nHost: x\r\nA:\r\n\r\n" => "GET / 1.1 keep;";
        a_value_with_a_colon: b"GET / HTTP/1.1\r\nHost: x\r\nA: b:c\r\n\r\n" => "GET / 1.1 keep;";
        a_value_above_127: b"GET / HTTP/1.1\r\nHost: x\r\nA: \xff\xfe\r\n\r\n" => "GET / 1.1 keep;";
        a_value_with_a_tab: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\tc\r\n\r\n" => "GET / 1.1 keep;";
        a_value_with_a_nul: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n" => "400";
        a_value_with_a_bell: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x07c\r\n\r\n" => "400";
        a_value_with_a_delete: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x7fc\r\n\r\n" => "400";
        a_value_with_a_bare_cr: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n" => "400";
        a_space_before_the_colon: b"GET / HTTP/1.1\r\nHost : x\r\n\r\n" => "400";
        a_tab_before_the_colon: b"GET / HTTP/1.1\r\nHost: x\r\nA\t: b\r\n\r\n" => "400";
        no_colon: b"GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n" => "400";
        no_name: b"GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n" => "400";
        a_name_with_a_space: b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n" => "400";
        a_name_in_quotes: b"GET / HTTP/1.1\r\nHost: x\r\n\"A\": c\r\n\r\n" => "400";
        a_name_above_127: b"GET / HTTP/1.1\r\nHost: x\r\n\xc3: c\r\n\r\n" => "400";
        a_name_of_all_token_chars: b"GET / HTTP/1.1\r\nHost: x\r\n!#$%&'*+-.^_`|~: c\r\n\r\n" => "GET / 1.1 keep;";
        a_folded_line: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n" => "400";
        a_line_folded_by_a_tab: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n" => "400";
        a_folded_empty_line: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n \r\n\r\n" => "400";
        two_types: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n" => "400";
        two_equal_types: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\ncontent-type: a/b\r\n\r\n" => "400";
        one_type: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Typo: c/d\r\n\r\n" => "POST / 1.1 keep;";
        fields_that_are_repeated: b"GET / HTTP/1.1\r\nHost: x\r\nIf-Match: \"a\"\r\nIf-Match: \"b\"\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n" => "GET / 1.1 keep;";
        a_tab_in_a_name: b"GET / HTTP/1.1\r\nHost: x\r\nA\tB: c\r\n\r\n" => "400";
        a_bracket_in_a_name: b"GET / HTTP/1.1\r\nHost: x\r\nA[]: c\r\n\r\n" => "400";
        a_nul_in_a_name: b"GET / HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n" => "400";
        a_line_behind_a_bare_cr: b"GET / HTTP/1.1\r\nHost: x\r\n\rA: b\r\n\r\n" => "400";
        names_in_any_case: b"GET / HTTP/1.1\r\nhOsT: x\r\ncOnNeCtIoN: ClOsE\r\n\r\n" => "GET / 1.1 close;";
    }

    "RFC 9112 section 9.3: whether the connection stays" {
        close_in_1_1: b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" => "GET / 1.1 close;";
        keep_alive_in_1_0: b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" => "GET / 1.0 keep;";
        close_among_others: b"GET / HTTP/1.1\r\nHost: x\r\nConnection: a, Close ,b\r\n\r\n" => "GET / 1.1 close;";
        close_in_the_second: b"GET / HTTP/1.1\r\nHost: x\r\nConnection: a\r\nConnection: close\r\n\r\n" => "GET / 1.1 close;";
        close_and_keep_alive: b"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" => "GET / 1.0 close;";
        closed_is_not_close: b"GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n\r\n" => "GET / 1.1 keep;";
        an_empty_connection: b"GET / HTTP/1.1\r\nHost: x\r\nConnection: ,\r\n\r\n" => "GET / 1.1 keep;";
    }

    "RFC 9112 section 6.2, RFC 9110 section 8.6: Content-Length" {
        a_body: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" => "POST / 1.1 keep 5 'hello';";
        a_body_and_a_request: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: x\r\n\r\n" => "POST / 1.1 keep 5 'hello'; GET / 1.1 keep;";
        a_body_of_get: b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" => "GET / 1.1 keep 2 'hi';";
        a_body_in_1_0: b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi" => "POST / 1.0 close 2 'hi';";
        a_body_that_is_not_all_there: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel" => "POST / 1.1 keep 5…";
        an_empty_body: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" => "POST / 1.1 keep;";
        a_post_without_a_length: b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" => "POST / 1.1 keep;";
        a_length_with_zeros: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0005\r\n\r\nhello" => "POST / 1.1 keep 5 'hello';";
        a_signed_length: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello" => "400";
        a_negative_length: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello" => "400";
        a_hexadecimal_length: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello" => "400";
        a_length_with_a_point: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5.0\r\n\r\nhello" => "400";
        a_length_of_two_words: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5 5\r\n\r\nhello" => "400";
        a_list_of_lengths: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello" => "400";
        a_length_with_an_underscore_in_its_name: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent_Length: 9\r\n\r\nhello" => "POST / 1.1 keep 5 'hello';";
        another_name_for_a_length: b"POST / HTTP/1.1\r\nHost: x\r\nContent.Length: 9\r\nContentLength: 9\r\n\r\n" => "POST / 1.1 keep;";
        a_length_with_an_underscore: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1_0\r\n\r\n0123456789" => "400";
        a_length_in_octal: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0o5\r\n\r\nhello" => "400";
        a_negative_length_of_none: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -0\r\n\r\n" => "400";
        a_length_with_a_letter_behind_it: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\nhello" => "400";
        a_length_of_two_zeros: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 00\r\n\r\n" => "POST / 1.1 keep;";
        a_length_between_white_space: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\t  5 \t\r\n\r\nhello" => "POST / 1.1 keep 5 'hello';";
        an_empty_length: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n" => "400";
        a_length_of_letters: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n" => "400";
        a_length_beyond_all_numbers: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n" => "400";
        two_lengths: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello" => "400";
        two_equal_lengths: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello" => "400";
        a_length_with_a_bare_cr: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r5\r\n\r\nhello" => "400";
    }

    "RFC 9112 sections 6.1 and 6.3: Transfer-Encoding" {
        chunks: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" => "POST / 1.1 keep chunked 'hello';";
        chunked_in_any_case: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ChUnKeD\r\n\r\n0\r\n\r\n" => "POST / 1.1 keep chunked;";
        chunked_with_a_comma: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ,chunked,\r\n\r\n0\r\n\r\n" => "POST / 1.1 keep chunked;";
        both_lengths: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => "400";
        both_lengths_the_other_way_round: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" => "400";
        both_with_a_length_of_none: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n" => "400";
        chunked_in_1_0: b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => "400";
        chunked_twice: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" => "400";
        chunked_in_two_fields: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => "400";
        chunked_not_last: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" => "400";
        chunked_not_last_in_two_fields: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" => "400";
        gzip_and_chunked: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" => "501";
        identity: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n" => "400";
        an_unknown_coding: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" => "400";
        chunked_in_quotes: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" => "400";
        chunked_with_a_parameter: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n" => "400";
        gzip_alone: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" => "400";
        identity_and_chunked: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" => "501";
        identity_and_chunked_in_two_fields: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => "501";
        chunked_twice_among_others: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked, identity, chunked\r\n\r\n0\r\n\r\n" => "400";
        identity_and_a_length: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello" => "400";
        a_length_and_gzip_and_chunked: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" => "400";
        gzip_and_chunked_in_1_0: b"POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" => "400";
        chunked_with_a_comma_alone: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ,\r\n\r\n" => "400";
        chunked_before_a_nul: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n" => "400";
        chunked_behind_a_form_feed: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0cchunked\r\n\r\n0\r\n\r\n" => "400";
        chunked_before_white_space: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked \t\r\n\r\n0\r\n\r\n" => "POST / 1.1 keep chunked;";
        chunked_in_a_name_in_capitals: b"POST / HTTP/1.1\r\nHost: x\r\nTRANSFER-ENCODING: chunked\r\n\r\n0\r\n\r\n" => "POST / 1.1 keep chunked;";
        chunked_behind_a_vertical_tab: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" => "400";
        no_coding: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n" => "400";
        a_space_in_the_name: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" => "400";
        an_underscore_for_the_hyphen: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer_Encoding: chunked\r\n\r\n" => "POST / 1.1 keep;";
        an_underscore_for_the_hyphen_besides: b"POST / HTTP/1.1\r\nHost: x\r\ntransfer_encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => "POST / 1.1 keep chunked;";
        another_name: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer.Encoding: chunked\r\nTransferEncoding: chunked\r\n\r\n" => "POST / 1.1 keep;";
    }


    "RFC 9112 section 7.1: chunks" {
        two_chunks: chunked!(b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n") => "POST / 1.1 keep chunked 'abcde';";
        sizes_in_any_case: chunked!(b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n") => "POST / 1.1 keep chunked '01234567890123456789';";
        a_size_with_zeros: chunked!(b"0002\r\nab\r\n000\r\n\r\n") => "POST / 1.1 keep chunked 'ab';";
        a_request_behind_chunks: chunked!(b"1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n") => "POST / 1.1 keep chunked 'a'; GET / 1.1 keep;";
        chunks_that_are_not_all_there: chunked!(b"5\r\nhe") => "POST / 1.1 keep chunked…";
        the_last_chunk_without_its_end: chunked!(b"0\r\n") => "POST / 1.1 keep chunked…";
        an_extension: chunked!(b"1;a\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked 'x';";
        an_extension_with_a_value: chunked!(b"1;a=b;c=\"d\\\"; e\"\r\nx\r\n0;f\r\n\r\n") => "POST / 1.1 keep chunked 'x';";
        an_extension_with_white_space: chunked!(b"1 ; a = b\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked 'x';";
        an_extension_without_a_name: chunked!(b"1;\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        an_extension_without_a_value: chunked!(b"1;a=\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        an_extension_with_an_open_quote: chunked!(b"1;a=\"b\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        an_extension_with_a_nul: chunked!(b"1;a=\"\0\"\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        an_extension_with_a_bare_cr: chunked!(b"1;a\rb\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        white_space_behind_a_size: chunked!(b"1 \r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        white_space_before_a_size: chunked!(b" 1\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        no_size: chunked!(b"\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_signed_size: chunked!(b"+1\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_negative_size: chunked!(b"-1\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_size_with_a_prefix: chunked!(b"0x1\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_size_with_an_underscore: chunked!(b"1_0\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_size_beyond_all_numbers: chunked!(b"10000000000000000\r\nx\r\n") => "POST / 1.1 keep chunked400";
        the_largest_size: chunked!(b"ffffffffffffffff\r\nx\r\n") => "POST / 1.1 keep chunked413";
        sizes_that_overflow: chunked!(b"1\r\nx\r\nffffffffffffffff\r\n") => "POST / 1.1 keep chunked400";
        a_bare_lf_behind_a_size: chunked!(b"1\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_bare_lf_behind_data: chunked!(b"1\r\nx\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_bare_lf_in_an_extension: chunked!(b"1;a\nb\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        data_longer_than_its_size: chunked!(b"1\r\nxy\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        data_shorter_than_its_size: chunked!(b"3\r\nxy\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_bare_lf_at_the_end_of_chunks: chunked!(b"0\r\n\n") => "POST / 1.1 keep chunked400";
        trailers: chunked!(b"0\r\nA: b\r\nC: d\r\n\r\n") => "POST / 1.1 keep chunked +A=b +C=d;";
        a_trailer_without_a_colon: chunked!(b"0\r\nA\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_folded_trailer: chunked!(b"0\r\nA: b\r\n c\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_trailer_with_a_bare_lf: chunked!(b"0\r\nA: b\n\r\n") => "POST / 1.1 keep chunked400";
        a_length_for_a_trailer: chunked!(b"1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_coding_for_a_trailer: chunked!(b"1\r\nx\r\n0\r\ntransfer-encoding: chunked\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_host_for_a_trailer: chunked!(b"1\r\nx\r\n0\r\nHOST: y\r\n\r\n") => "POST / 1.1 keep chunked400";
        credentials_for_a_trailer: chunked!(b"1\r\nx\r\n0\r\nA: b\r\nAuthorization: Basic eDp5\r\n\r\n") => "POST / 1.1 keep chunked400";
        other_trailers_of_heads: chunked!(b"0\r\nVary: *\r\nContent-Type: text/plain\r\nHosts: y\r\nContent_Length: 5\r\n\r\n") => "POST / 1.1 keep chunked +Vary=* +Content-Type=text/plain +Hosts=y +Content_Length=5;";
        an_extension_of_tokens_and_white_space: chunked!(b"1; some; a=b\r\nx\r\n0; c\r\n\r\n") => "POST / 1.1 keep chunked 'x';";
        an_extension_of_a_bracket: chunked!(b"1;a[=b\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        an_extension_without_a_size: chunked!(b";a=b\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        an_extension_without_a_size_but_a_space: chunked!(b" ;a=b\r\nx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        white_space_behind_the_last_size: chunked!(b"1\r\nx\r\n0 \r\n\r\n") => "POST / 1.1 keep chunked400";
        a_bare_cr_behind_a_size: chunked!(b"1\rx\r\n0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_signed_last_size: chunked!(b"+0\r\n\r\nG") => "POST / 1.1 keep chunked400";
        no_end_of_data: chunked!(b"1\r\nx0\r\n\r\n") => "POST / 1.1 keep chunked400";
        a_request_for_a_trailer: chunked!(b"0\r\nGET / HTTP/1.1\r\n\r\n") => "POST / 1.1 keep chunked400";
    }

    "RFC 9110 section 10.1.1: Expect" {
        an_expectation: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx" => "POST / 1.1 keep 1 continue 'x';";
        an_expectation_in_any_case: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\nx" => "POST / 1.1 keep 1 continue 'x';";
        an_expectation_without_a_body: b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n" => "POST / 1.1 keep;";
        an_expectation_in_1_0: b"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx" => "POST / 1.0 close 1 'x';";
        another_expectation: b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n" => "417";
        another_expectation_besides: b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue, a\r\n\r\n" => "417";
    }

    "What a front that reads otherwise would take for a second request, or for none" {
        a_request_in_a_body: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 28\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n" => "POST / 1.1 keep 28 'GET /b HTTP/1.1\r\nHost: x\r\n\r\n';";
        a_body_that_ends_within_a_request: b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n" => "GET / 1.1 keep 26 'GET /b HTTP/1.1\r\nHost: x\r\n'; GET /c 1.1 keep;";
        a_letter_behind_an_empty_body: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nXGET /b HTTP/1.1\r\nHost: x\r\n\r\n" => "POST / 1.1 keep; XGET /b 1.1 keep;";
        a_request_in_a_value: b"GET / HTTP/1.1\r\nHost: x\r\nA: b\nContent-Length: 27\r\nGET /b HTTP/1.1\nHost: x\r\n\r\n" => "400";
        nothing_after_a_refusal: b"GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n" => "400";
        a_right_one_before_a_refusal: b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n" => "GET /a 1.1 keep; 400";
    }
}
