//! Changing what a handler is given.

use crate::config::Limits;
use crate::endpoint::Endpoint;
use crate::id::{Conn, Listener, Timer};
use crate::net::{ConnInfo, SockMan};
use crate::options::{AdoptOptions, DialOptions, ListenOptions};
use crate::reason::{Disconnect, Gone, Sent, WantError};
use crate::remote::Remote;
use crate::stats::Stats;
use bytes::Bytes;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Generates [`Wrapper`] with a default for each operation, and [`SockMan`] for every wrapper. It exists so that the list
/// of operations stands once.
macro_rules! forward {
    ($($(#[$doc:meta])* fn $name:ident(&$($mut:ident)? $(, $arg:ident: $type:ty)*) $(-> $result:ty)?;)*) => {
        /// A [`SockMan`] around another: a layer that encrypts what is sent, a router that marks keys, a recorder.
        ///
        /// Implement the two accessors and the operations that change; every other goes to the inner one. Each type
        /// that implements this implements [`SockMan`].
        ///
        /// ```
        /// use sockman::{Conn, Gone, Sent, SockMan, Wrapper};
        ///
        /// /// Counts what is sent.
        /// struct Counted<'a, S> {
        ///     net: &'a mut S,
        ///     bytes: &'a mut usize,
        /// }
        ///
        /// impl<S: SockMan> Wrapper for Counted<'_, S> {
        ///     type Inner = S;
        ///     fn inner(&self) -> &S {
        ///         self.net
        ///     }
        ///     fn inner_mut(&mut self) -> &mut S {
        ///         self.net
        ///     }
        ///     fn send(&mut self, conn: Conn, data: &[u8]) -> Result<Sent, Gone> {
        ///         *self.bytes += data.len();
        ///         self.net.send(conn, data)
        ///     }
        /// }
        /// ```
        pub trait Wrapper: Sized {
            /// What is wrapped.
            type Inner: SockMan;
            /// What is wrapped.
            fn inner(&self) -> &Self::Inner;
            /// What is wrapped.
            fn inner_mut(&mut self) -> &mut Self::Inner;
            $(
                #[doc = concat!("See [`SockMan::", stringify!($name), "`].")]
                #[inline]
                fn $name(&$($mut)? self $(, $arg: $type)*) $(-> $result)? {
                    forward!(@inner self $($mut)?).$name($($arg),*)
                }
            )*
        }

        impl<W: Wrapper> SockMan for W {
            $(
                #[inline]
                fn $name(&$($mut)? self $(, $arg: $type)*) $(-> $result)? {
                    Wrapper::$name(self $(, $arg)*)
                }
            )*
        }
    };
    (@inner $self:ident mut) => { $self.inner_mut() };
    (@inner $self:ident) => { $self.inner() };
}

forward! {
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
