//! hyper on tokio's current-thread runtime: a task for each connection, and answers to pipelined requests flushed together.

use super::worker::Worker;
use crate::http::{AUTHORIZATION, HELLO, METHOD, TEXT};
use crate::serve::{Ready, Running, listener};
use ::hyper::body::{Bytes, Incoming};
use ::hyper::header::{self, HeaderValue};
use ::hyper::server::conn::http1;
use ::hyper::service::service_fn;
use ::hyper::{Error, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Answer = Response<Full<Bytes>>;

/// Where the worker puts its answer.
type Job = oneshot::Sender<Bytes>;

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(serve(ready))
}

async fn serve(ready: Ready<'_>) -> io::Result<()> {
    let (listener, at) = listener()?;
    let listener = TcpListener::from_std(listener)?;
    // Whose client is gone by then is not answered. The worker ends with the process.
    let worker = Worker::start(|job: Job| drop(job.send(Bytes::from_static(HELLO.as_bytes()))))?;
    let worker: &'static Worker<Job> = Box::leak(Box::new(worker));
    ready(Running::new(at));
    loop {
        let (client, _) = listener.accept().await?;
        client.set_nodelay(true)?;
        let connection = http1::Builder::new().pipeline_flush(true).serve_connection(
            TokioIo::new(client),
            service_fn(|request| answer(request, worker)),
        );
        // A client that goes away ends its own task and nothing else.
        tokio::spawn(async { drop(connection.await) });
    }
}

async fn answer(request: Request<Incoming>, worker: &Worker<Job>) -> Result<Answer, Error> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/hello") => with(TEXT, Bytes::from_static(HELLO.as_bytes())),
        (&Method::POST, "/echo") => {
            let body = request.into_body().collect().await?.to_bytes();
            with("application/octet-stream", body)
        }
        (&Method::POST, "/") => rpc(request).await?,
        (&Method::GET, "/worker") => {
            let (job, done) = oneshot::channel();
            worker.hand(job);
            // The worker answers every job.
            with(TEXT, done.await.unwrap_or_default())
        }
        _ => status(StatusCode::NOT_FOUND),
    })
}

fn with(of: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    let of = HeaderValue::from_static(of);
    answer.headers_mut().insert(header::CONTENT_TYPE, of);
    answer
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

#[derive(Deserialize)]
struct Call<'a> {
    method: &'a str,
    params: Value,
    id: Value,
}

#[derive(Serialize)]
struct Outcome {
    jsonrpc: &'static str,
    result: Value,
    id: Value,
}

async fn rpc(request: Request<Incoming>) -> Result<Answer, Error> {
    let given = request.headers().get(header::AUTHORIZATION);
    if given.is_none_or(|given| given != AUTHORIZATION) {
        return Ok(status(StatusCode::UNAUTHORIZED));
    }
    let body = request.into_body().collect().await?.to_bytes();
    let call = serde_json::from_slice(&body)
        .ok()
        .filter(|call: &Call<'_>| call.method == METHOD);
    let outcome = call.and_then(|call| {
        serde_json::to_vec(&Outcome {
            jsonrpc: "2.0",
            result: call.params,
            id: call.id,
        })
        .ok()
    });
    Ok(match outcome {
        Some(outcome) => with("application/json", outcome.into()),
        None => status(StatusCode::BAD_REQUEST),
    })
}
