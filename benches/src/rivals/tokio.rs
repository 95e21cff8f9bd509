//! An echo server on tokio's current-thread runtime: a task for each connection.

use crate::serve::{Ready, Running, listener};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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
    ready(Running::new(at));
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(async move {
            // A client that goes away ends its own task and nothing else.
            let _ = echo(client).await;
        });
    }
}

async fn echo(mut client: TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut buffer = vec![0; 16 << 10];
    loop {
        match client.read(&mut buffer).await? {
            0 => return Ok(()),
            received => client.write_all(&buffer[..received]).await?,
        }
    }
}
