//! For those who have code that is `async`: with the feature `async`.

use crate::deferred::Deferred;
use crate::reply::{Answered, Reply};
use crate::service::{Body, Request, Service};
use crate::workers::Workers;
use bytes::Bytes;
use http::{Response, StatusCode};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// An application that is `async`. It is given each request whole, in the types that other libraries have.
#[async_trait::async_trait]
pub trait AsyncService: Send + Sync + 'static {
    /// Answers a request.
    async fn call(&self, request: http::Request<Bytes>) -> Response<Bytes>;
}

/// What answers one request.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that runs tasks: [`Workers`], each of which runs one task to its end; or a closure that gives them to an executor,
/// as `move |task| drop(handle.spawn(task))` with tokio.
pub trait Run {
    /// Has what `task` makes run, off the loop.
    fn run(&mut self, deferred: Deferred, task: impl FnOnce(Deferred) -> Task + Send + 'static);
}

impl Run for Workers {
    fn run(&mut self, deferred: Deferred, task: impl FnOnce(Deferred) -> Task + Send + 'static) {
        self.submit(deferred, |deferred| pollster::block_on(task(deferred)));
    }
}

impl<F: FnMut(Task)> Run for F {
    fn run(&mut self, deferred: Deferred, task: impl FnOnce(Deferred) -> Task + Send + 'static) {
        self(task(deferred));
    }
}

/// A [`Service`] that has an [`AsyncService`] answer. A request costs an allocation for each field, and a task: what the loop can
/// answer itself is better answered there.
pub struct Async<A, R> {
    service: Arc<A>,
    run: R,
}

impl<A: AsyncService, R: Run> Async<A, R> {
    /// Has `service` answer, by tasks that `run` runs.
    pub fn new(service: A, run: R) -> Self {
        Async {
            service: Arc::new(service),
            run,
        }
    }
}

impl<A: AsyncService, R: Run> Service for Async<A, R> {
    type Upload = ();
    type Source = ();

    fn call(&mut self, request: &Request<'_>, body: Body<'_, ()>, reply: Reply<'_, ()>) -> Answered {
        let Ok(request) = request.to_http(Bytes::copy_from_slice(body.bytes())) else {
            return reply.status(StatusCode::BAD_REQUEST).text("400: no URI\n");
        };
        let (deferred, answered) = reply.defer();
        let service = self.service.clone();
        self.run.run(deferred, |deferred| {
            Box::pin(async move { deferred.respond(service.call(request).await) })
        });
        answered
    }
}

impl<A, R> fmt::Debug for Async<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Async").finish_non_exhaustive()
    }
}
