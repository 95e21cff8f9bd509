//! [`SockMan`] as a trait object, so that a script's behaviours can be closures.

use sockman::{
    AdoptOptions, Bytes, Conn, ConnInfo, DialOptions, Disconnect, Endpoint, Gone, Limits, ListenOptions,
    Listener, Remote, Sent, SockMan, Stats, Timer, WantError,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

macro_rules! mirror {
    ($(fn $name:ident(&$($mut:ident)? $(, $arg:ident: $type:ty)*) $(-> $result:ty)?;)*) => {
        /// The operations of a [`SockMan`], each as there.
        pub trait Ops {
            $(
                #[doc = concat!("See [`SockMan::", stringify!($name), "`].")]
                fn $name(&$($mut)? self $(, $arg: $type)*) $(-> $result)?;
            )*
        }

        impl<S: SockMan> Ops for S {
            $(
                fn $name(&$($mut)? self $(, $arg: $type)*) $(-> $result)? {
                    SockMan::$name(self $(, $arg)*)
                }
            )*
        }
    };
}

mirror! {
    fn listen(&mut, at: &Endpoint, how: &ListenOptions) -> io::Result<Listener>;
    fn unlisten(&mut, listener: Listener);
    fn local_addr(&, listener: Listener) -> Option<Endpoint>;
    fn dial(&mut, to: &Endpoint, how: &DialOptions) -> io::Result<Conn>;
    fn send(&mut, conn: Conn, data: &[u8]) -> Result<Sent, Gone>;
    fn send_bytes(&mut, conn: Conn, data: Bytes) -> Result<Sent, Gone>;
    fn post(&mut, conn: Conn, data: Bytes);
    fn disconnect(&mut, conn: Conn, how: Disconnect);
    fn finish(&mut, conn: Conn);
    fn pause(&mut, conn: Conn);
    fn resume(&mut, conn: Conn);
    fn want(&mut, conn: Conn, unread: usize) -> Result<(), WantError>;
    fn set_deadline(&mut, conn: Conn, at: Option<Instant>);
    fn set_timer(&mut, at: Instant, key: u64) -> Timer;
    fn cancel(&mut, timer: Timer);
    fn adopt(&mut, socket: OwnedFd, how: &AdoptOptions) -> io::Result<Conn>;
    fn detach(&mut, conn: Conn) -> io::Result<OwnedFd>;
    fn shut_down(&mut, within: Duration);
    fn is_open(&, conn: Conn) -> bool;
    fn connections(&) -> usize;
    fn now(&) -> Instant;
    fn info(&, conn: Conn) -> Option<ConnInfo>;
    fn limits(&) -> &Limits;
    fn stats(&) -> &Stats;
    fn remote(&) -> Remote;
}
