//! Our echo handler behind trait objects: its callbacks are dispatched dynamically, and so are the operations it calls.

use crate::echo::Echo;
use sockman::bytes::Bytes;
use sockman::{
    AdoptOptions, Backend, Conn, ConnInfo, DialOptions, Disconnect, Endpoint, Gone, Handler, Limits,
    ListenOptions, Listener, Origin, Remote, Sent, SockMan, Stats, Timer, WantError,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Generates [`DynSockMan`] and its two bridges, so that the list of operations stands once.
macro_rules! object_safe {
    ($(fn $name:ident(&$($mut:ident)? $(, $arg:ident: $type:ty)*) $(-> $result:ty)?;)*) => {
        /// [`SockMan`] as a trait object can have it.
        pub trait DynSockMan {
            $(
                #[doc = concat!("See [`SockMan::", stringify!($name), "`].")]
                fn $name(&$($mut)? self $(, $arg: $type)*) $(-> $result)?;
            )*
        }

        /// Every [`SockMan`] can be one, through this.
        struct Erased<'a, S>(&'a mut S);

        impl<S: SockMan> DynSockMan for Erased<'_, S> {
            $(fn $name(&$($mut)? self $(, $arg: $type)*) $(-> $result)? { self.0.$name($($arg),*) })*
        }

        /// What the handler is given.
        struct Object<'a>(&'a mut dyn DynSockMan);

        impl SockMan for Object<'_> {
            $(fn $name(&$($mut)? self $(, $arg: $type)*) $(-> $result)? { self.0.$name($($arg),*) })*
        }
    };
}

object_safe! {
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

/// A handler as a trait object can have it; its sessions are empty.
pub trait DynHandler {
    /// See [`Handler::open`].
    fn open(&mut self, net: &mut dyn DynSockMan, conn: Conn, origin: &Origin) -> bool;
    /// See [`Handler::received`].
    fn received(&mut self, net: &mut dyn DynSockMan, conn: Conn, data: &mut [u8]) -> usize;
    /// See [`Handler::drained`].
    fn drained(&mut self, net: &mut dyn DynSockMan, conn: Conn);
}

impl<H: Handler<Session = ()>> DynHandler for H {
    fn open(&mut self, net: &mut dyn DynSockMan, conn: Conn, origin: &Origin) -> bool {
        Handler::open(self, &mut Object(net), conn, origin).is_some()
    }

    fn received(&mut self, net: &mut dyn DynSockMan, conn: Conn, data: &mut [u8]) -> usize {
        Handler::received(self, &mut Object(net), conn, &mut (), data)
    }

    fn drained(&mut self, net: &mut dyn DynSockMan, conn: Conn) {
        Handler::drained(self, &mut Object(net), conn, &mut ());
    }
}

/// Runs a [`DynHandler`] as a [`Handler`].
pub struct Boxed(pub Box<dyn DynHandler>);

impl Handler for Boxed {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        self.0.open(&mut Erased(net), conn, origin).then_some(())
    }

    #[inline]
    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        self.0.received(&mut Erased(net), conn, data)
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        self.0.drained(&mut Erased(net), conn);
    }
}

/// Runs the echo handler so on a backend.
pub fn run<B: Backend>(ready: crate::serve::Ready<'_>) -> io::Result<()> {
    crate::serve::backend::serve::<B, _>(Boxed(Box::new(Echo)), ready)
}
