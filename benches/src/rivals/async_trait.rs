//! Our echo handler called through an async-trait method: each call boxes a future, which is done when first polled.

use crate::echo::Echo;
use async_trait::async_trait;
use sockman::{Conn, Handler, Origin, SockMan};
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A handler whose callbacks are async.
#[async_trait(?Send)]
pub trait AsyncHandler {
    /// See [`Handler::open`]; every connection is taken.
    async fn opened<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin);
    /// See [`Handler::received`].
    async fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, data: &mut [u8]) -> usize;
    /// See [`Handler::drained`].
    async fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn);
}

#[async_trait(?Send)]
impl AsyncHandler for Echo {
    async fn opened<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) {}

    async fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, data: &mut [u8]) -> usize {
        Handler::received(self, net, conn, &mut (), data)
    }

    async fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        Handler::drained(self, net, conn, &mut ());
    }
}

/// Runs an [`AsyncHandler`] as a [`Handler`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Awaited<H>(pub H);

impl<H: AsyncHandler> Handler for Awaited<H> {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        now(self.0.opened(net, conn, origin))
    }

    #[inline]
    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        let all = data.len();
        now(self.0.received(net, conn, data)).unwrap_or(all)
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        now(self.0.drained(net, conn));
    }
}

/// What a future that waits for nothing comes to. That it is boxed is hidden from the optimiser, which would otherwise
/// take the box out here, where caller and callee are known, and leave it in where the trait is for.
#[inline]
fn now<T>(future: Pin<Box<dyn Future<Output = T> + '_>>) -> Option<T> {
    match black_box(future)
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Runs the echo handler so on a backend.
pub fn run<B: sockman::Backend>(ready: crate::serve::Ready<'_>) -> std::io::Result<()> {
    crate::serve::backend::serve::<B, _>(Awaited(Echo), ready)
}
