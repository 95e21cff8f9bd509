//! Who may call, and what.

use super::{answer_of, on, server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sockman_http::rpc::{Access, BadCredentials, COOKIE_USER, Credentials, Denied};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

/// The password is `correct horse`; the hash was made with another implementation of HMAC-SHA-256.
const RPCAUTH: &str =
    "carol:8c3fd0a1b2e94756f0e1d2c3b4a59687$5a5fcc277e3c7e57967e90bf84fd671f1e7b7de02a866fed0f1e67d8288658a6";

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

#[track_caller]
fn user(users: &Credentials, authorization: &str) -> Result<String, Denied> {
    users
        .check(Some(authorization.as_bytes()))
        .map(|access| access.user().to_owned())
}

#[test]
fn by_password() {
    let mut users = Credentials::default();
    assert!(users.is_empty());
    users.password("alice", "pass:word").expect("a user");
    assert!(!users.is_empty());
    assert_eq!(users.check(None).err(), Some(Denied::Missing));
    let right = basic("alice:pass:word");
    assert_eq!(user(&users, &right), Ok("alice".to_owned()));
    assert_eq!(
        user(&users, &right.replace("Basic ", "bAsIc   ")),
        Ok("alice".to_owned())
    );
    assert_eq!(user(&users, &format!("{right} ")), Ok("alice".to_owned()));
    for wrong in [
        "",
        "Basic",
        "Basic ",
        "Basic =",
        "Basic YQ",
        "Basic ????",
        "Bearer abc",
        &right.replace("Basic ", "Basic"),
        &right.replace("Basic ", "Digest "),
        &basic("alice:pass:wor"),
        &basic("alice:pass:word "),
        &basic("alice:"),
        &basic("alice"),
        &basic("Alice:pass:word"),
        &basic(":pass:word"),
        &basic(""),
        &basic("bob:pass:word"),
    ] {
        assert_eq!(user(&users, wrong), Err(Denied::Wrong), "{wrong}");
    }
    assert!(matches!(users.password("a:b", "x"), Err(BadCredentials::Colon)));
    assert_eq!(
        Credentials::default().check(Some(right.as_bytes())).err(),
        Some(Denied::Wrong)
    );
}

#[test]
fn by_a_salted_hash() {
    let mut users = Credentials::default();
    users.rpcauth(RPCAUTH).expect("a user");
    assert_eq!(
        user(&users, &basic("carol:correct horse")),
        Ok("carol".to_owned())
    );
    assert_eq!(user(&users, &basic("carol:correct horsf")), Err(Denied::Wrong));
    // A user may have several.
    users.password("carol", "another").expect("a user");
    assert_eq!(user(&users, &basic("carol:another")), Ok("carol".to_owned()));
    assert_eq!(
        user(&users, &basic("carol:correct horse")),
        Ok("carol".to_owned())
    );
    for wrong in [
        "",
        "carol",
        "carol:",
        "carol:salt",
        "carol:salt$",
        "carol:salt$abcd",
        &RPCAUTH.replace(':', ""),
        &RPCAUTH.replace('$', ":"),
        &format!("{RPCAUTH}0"),
        &format!("{}x", &RPCAUTH[..RPCAUTH.len() - 1]),
        &format!("{}é", &RPCAUTH[..RPCAUTH.len() - 2]),
    ] {
        assert!(
            matches!(users.rpcauth(wrong), Err(BadCredentials::RpcAuth)),
            "{wrong}"
        );
    }
}

#[test]
fn by_a_cookie() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(".cookie");
    let mut users = Credentials::default();
    users.cookie(&path).expect("a cookie");
    let pair = fs::read_to_string(&path).expect("a file");
    let password = pair.strip_prefix("__cookie__:").expect("its user");
    assert!(password.len() == 64 && password.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(
        fs::metadata(&path).expect("a file").permissions().mode() & 0o7777,
        0o600
    );
    assert_eq!(user(&users, &basic(&pair)), Ok(COOKIE_USER.to_owned()));
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "nothing else"
    );

    // Another start makes another, which the end of the first does not take away.
    let mut next = Credentials::default();
    next.cookie(&path).expect("a cookie");
    assert_ne!(fs::read_to_string(&path).expect("a file"), pair);
    assert_eq!(user(&next, &basic(&pair)), Err(Denied::Wrong));
    drop(users);
    assert!(path.exists());
    drop(next);
    assert!(!path.exists());
}

#[test]
fn a_cookie_follows_no_links_and_takes_no_mode_of_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(".cookie");
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "kept").expect("a file");
    symlink(&elsewhere, &path).expect("a link");
    symlink(&elsewhere, folder.path().join(".cookie.tmp")).expect("a link");
    let mut users = Credentials::default();
    users.cookie(&path).expect("a cookie");
    assert_eq!(fs::read_to_string(&elsewhere).expect("a file"), "kept");
    assert!(!fs::symlink_metadata(&path).expect("a file").is_symlink());
    drop(users);

    fs::write(&path, "old").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("a mode");
    let mut users = Credentials::default();
    users.cookie(&path).expect("a cookie");
    assert_eq!(
        fs::metadata(&path).expect("a file").permissions().mode() & 0o7777,
        0o600
    );

    let nowhere = folder.path().join("no/.cookie");
    assert!(matches!(users.cookie(&nowhere), Err(BadCredentials::Io(_))));
}

fn permits(users: &Credentials, pair: &str, methods: &[&str]) -> Vec<bool> {
    let access = users.check(Some(basic(pair).as_bytes())).expect("a user");
    methods.iter().map(|method| access.permits(method)).collect()
}

#[test]
fn whitelists() {
    let mut users = Credentials::default();
    users.whitelist("alice:uptime, help,,stop");
    users.password("alice", "a").expect("a user");
    users.password("bob", "b").expect("a user");
    users.password("carl", "c").expect("a user");
    users.whitelist("carl");
    let methods = ["uptime", "help", "stop", "echo", ""];
    assert_eq!(
        permits(&users, "alice:a", &methods),
        [true, true, true, false, false]
    );
    assert_eq!(permits(&users, "bob:b", &methods), [false; 5], "somebody has one");
    assert_eq!(permits(&users, "carl:c", &methods), [false; 5]);
    users.whitelist("alice:help,echo");
    assert_eq!(
        permits(&users, "alice:a", &methods),
        [false, true, false, false, false]
    );
    users.whitelist_default(false);
    assert_eq!(permits(&users, "bob:b", &methods), [true; 5]);
    assert_eq!(permits(&users, "carl:c", &methods), [false; 5]);
    users.whitelist_default(true);
    assert_eq!(permits(&users, "bob:b", &methods), [false; 5]);
}

#[test]
fn what_is_not_permitted_is_403_and_not_carried_out() {
    let mut users = Credentials::default();
    users.password("alice", "a").expect("a user");
    users.whitelist("alice:echo,nothing");
    let access = users.check(Some(basic("alice:a").as_bytes())).expect("a user");
    let (server, _) = server();
    for (body, status) in [
        (r#"{"method":"echo","id":1}"#, 200),
        (r#"{"method":"nothing","id":1}"#, 404),
        (r#"{"method":"count","id":1}"#, 403),
        (r#"{"method":"other","id":1}"#, 403),
        (r#"{"jsonrpc":"2.0","method":"count","id":1}"#, 403),
        (r#"{"jsonrpc":"2.0","method":"count"}"#, 403),
        (r#"[{"method":"echo"},{"method":"count"}]"#, 403),
        (r#"[{"method":"count"},{"method":"echo"}]"#, 403),
        (r#"[{"method":"echo"},3,{}]"#, 200),
        (r#"{"method":"e\u0063ho","method":"count"}"#, 200),
        (r#"{"method":"c\u006funt","method":"echo"}"#, 403),
    ] {
        let answer = server.run(&server.read(body.as_bytes()), on(access));
        assert_eq!(answer.status, status, "{body}");
        assert!(status != 403 || answer.body.is_empty());
    }
    let answer = answer_of(&server, r#"{"method":"count"}"#);
    assert_eq!(answer.body, b"{\"result\":1,\"error\":null,\"id\":null}\n");
    assert!(!Access::everything("x").permits_nothing());
}
