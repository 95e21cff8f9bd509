//! A service made of a closure.

use crate::reply::{Answered, Reply};
use crate::service::{Body, Request, Service};
use std::fmt;

/// A service made of a closure: see [`service_fn`].
#[derive(Clone, Copy)]
pub struct ServiceFn<F>(F);

/// Makes a service of a closure, which is given each request whole.
///
/// ```
/// use sockman_http::{Server, Settings, service_fn};
///
/// let mut count = 0;
/// let counting = service_fn(move |request, _, reply| {
///     count += 1;
///     reply.text(&format!("{} is request {count}\n", request.path()))
/// });
/// let server = Server::new(counting, Settings::default());
/// ```
pub fn service_fn<F>(call: F) -> ServiceFn<F>
where
    F: FnMut(&Request<'_>, &[u8], Reply<'_, ()>) -> Answered,
{
    ServiceFn(call)
}

impl<F> Service for ServiceFn<F>
where
    F: FnMut(&Request<'_>, &[u8], Reply<'_, ()>) -> Answered,
{
    type Upload = ();
    type Source = ();

    fn call(&mut self, request: &Request<'_>, body: Body<'_, ()>, reply: Reply<'_, ()>) -> Answered {
        (self.0)(request, body.bytes(), reply)
    }
}

impl<F> fmt::Debug for ServiceFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceFn").finish_non_exhaustive()
    }
}
