//! Socket files of simulated hosts: stale ones and one's own.

use sockman::{Config, Driver, Endpoint, ListenOptions, Listener, SockMan};
use sockman_backends::sim::{Host, Network, Settings, Sim};
use sockman_tests::Recorder;
use std::io::{self, ErrorKind};

type Loop = Driver<Sim, Recorder>;

fn host() -> Host {
    Network::new(Settings::default()).host()
}

fn a_loop(host: &Host) -> Loop {
    let backend = host.backend(&Config::default()).expect("the settings are right");
    Driver::with_backend(backend, Recorder::new())
}

fn at() -> Endpoint {
    Endpoint::Unix("/run/server".into())
}

fn listen(driver: &mut Loop, unlink: bool) -> io::Result<Listener> {
    let how = ListenOptions {
        unlink,
        ..ListenOptions::default()
    };
    driver.with(|_, net| net.listen(&at(), &how))
}

/// How a dial to the file ends.
fn dial(host: &Host) -> Option<ErrorKind> {
    host.connect(&at()).err().map(|error| error.kind())
}

#[test]
fn a_listeners_file_goes_with_it_unless_it_is_kept() {
    let host = host();
    assert_eq!(dial(&host), Some(ErrorKind::NotFound));
    let mut driver = a_loop(&host);
    let listener = listen(&mut driver, true).expect("the name is free");
    assert_eq!(dial(&host), None);
    driver.with(|_, net| net.unlisten(listener));
    assert_eq!(dial(&host), Some(ErrorKind::NotFound));
    listen(&mut driver, false).expect("the name is free");
    drop(driver);
    assert_eq!(dial(&host), Some(ErrorKind::ConnectionRefused), "it is stale");
}

#[test]
fn a_stale_file_is_replaced_only_if_that_is_asked_for() {
    let host = host();
    let mut first = a_loop(&host);
    listen(&mut first, false).expect("the name is free");
    let mut second = a_loop(&host);
    let in_use = listen(&mut second, true).expect_err("somebody listens");
    assert_eq!(in_use.kind(), ErrorKind::AddrInUse);
    drop(first);
    assert_eq!(
        listen(&mut second, false).expect_err("stale").kind(),
        ErrorKind::AddrInUse
    );
    listen(&mut second, true).expect("it is replaced");
    assert_eq!(dial(&host), None);
}

#[test]
fn a_crash_leaves_files_with_nobody_behind_them() {
    let host = host();
    let mut driver = a_loop(&host);
    listen(&mut driver, true).expect("the name is free");
    host.crash();
    host.restart();
    drop(driver);
    assert_eq!(dial(&host), Some(ErrorKind::ConnectionRefused));
    let mut again = a_loop(&host);
    listen(&mut again, true).expect("it is replaced");
    assert_eq!(dial(&host), None);
}

/// A file is its host's own.
#[test]
fn another_host_has_other_files() {
    let network = Network::new(Settings::default());
    let (near, far) = (network.host(), network.host());
    let mut driver = a_loop(&near);
    listen(&mut driver, true).expect("the name is free");
    assert_eq!((dial(&near), dial(&far)), (None, Some(ErrorKind::NotFound)));
}
