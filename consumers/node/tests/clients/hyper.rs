//! hyper's client.

use crate::{At, over_both, over_tcp};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn block_on<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("not so long") })
}

fn request(method: &Method, base: &str, path: &str, body: Bytes) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(format!("{base}{path}"))
        .header("host", "localhost")
        .body(Full::new(body))
        .expect("a request")
}

/// Over one connection, which is kept.
#[test]
fn one_connection() {
    over_both(|at| {
        block_on(async {
            let (mut client, driving) = match at {
                At::Tcp(at) => start(TcpStream::connect(at).await.expect("the server listens")).await,
                At::Unix(path) => start(UnixStream::connect(path).await.expect("the server listens")).await,
            };
            tokio::spawn(driving);
            let methods = [
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::DELETE,
                Method::OPTIONS,
                Method::PATCH,
            ];
            for method in methods {
                for size in [0, 10, 20_000, 1_000_000] {
                    let body = Bytes::from(vec![7; size]);
                    client.ready().await.expect("the connection is kept");
                    let answer = client
                        .send_request(request(&method, "", "/echo", body.clone()))
                        .await;
                    let answer = answer.expect("an answer");
                    assert_eq!(answer.status(), StatusCode::OK);
                    let back = answer.into_body().collect().await.expect("all of it").to_bytes();
                    assert!(back == body, "{method} {size}");
                }
            }
            for (path, length) in [
                ("/stream/1000000", 1_000_000),
                ("/stream/1000?chunked", 1000),
                ("/worker", 13),
            ] {
                client.ready().await.expect("the connection is kept");
                let answer = client
                    .send_request(request(&Method::GET, "", path, Bytes::new()))
                    .await;
                let body = answer.expect("an answer").into_body().collect().await;
                assert_eq!(body.expect("all of it").to_bytes().len(), length, "{path}");
            }
            client.ready().await.expect("the connection is kept");
            let head = client
                .send_request(request(&Method::HEAD, "", "/hello", Bytes::new()))
                .await;
            assert_eq!(head.expect("an answer").headers()["content-length"], "13");
            client.ready().await.expect("the connection is kept");
            let events = client
                .send_request(request(&Method::GET, "", "/sse", Bytes::new()))
                .await;
            let mut events = events.expect("an answer").into_body();
            for number in 0..3 {
                let event = events
                    .frame()
                    .await
                    .expect("an event")
                    .expect("no error")
                    .into_data();
                assert_eq!(
                    event.expect("data"),
                    format!("id: {number}\ndata: tick {number}\n\n")
                );
            }
        });
    });
}

type Driving = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn start<T>(stream: T) -> (http1::SendRequest<Full<Bytes>>, Driving)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (client, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .expect("a connection");
    let driving = async move { drop(connection.await) };
    (client, Box::pin(driving))
}

/// By a pool of connections, many at once.
#[test]
fn a_pool() {
    over_tcp(|at| {
        let base = at.base();
        block_on(async {
            let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
            for _ in 0..5 {
                let mut asked = Vec::new();
                for number in 0..100 {
                    let path = if number % 2 == 0 { "/echo" } else { "/worker" };
                    let body = Bytes::from(format!("number {number}"));
                    asked.push(tokio::spawn(client.request(request(
                        &Method::GET,
                        &base,
                        path,
                        body,
                    ))));
                }
                for (number, asked) in asked.into_iter().enumerate() {
                    let answer = asked.await.expect("no panic").expect("an answer");
                    let body = answer.into_body().collect().await.expect("all of it").to_bytes();
                    let expected = if number % 2 == 0 {
                        format!("number {number}")
                    } else {
                        "Hello, world!".to_owned()
                    };
                    assert_eq!(body, expected);
                }
            }
        });
    });
}

/// A body whose length nobody knows before.
struct Pieces(u32);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let left = self.0;
        self.0 = left.saturating_sub(1);
        Poll::Ready((left > 0).then(|| Ok(Frame::data(Bytes::from(vec![b'x'; 1000])))))
    }
}

#[test]
fn a_body_in_chunks() {
    over_tcp(|at| {
        let uri = at.base() + "/echo";
        block_on(async {
            let client = Client::builder(TokioExecutor::new()).build_http::<Pieces>();
            let request = Request::post(uri).body(Pieces(500)).expect("a request");
            let answer = client.request(request).await.expect("an answer");
            let body = answer.into_body().collect().await.expect("all of it").to_bytes();
            assert_eq!(body.len(), 500_000);
        });
    });
}
