//! Connecting to others.

use super::context::Context;
use super::interface::UvInterface;
use super::read;
use super::stream::{self, Handle, Kind};
use super::{check, error};
use crate::socket;
use libuv_sys2::{uv_connect_t, uv_tcp_connect};
use rustix::net::addr::SocketAddrArg;
use sockman::shared::Net;
use sockman::{Conn, DialOptions, Endpoint, Id, Syscall};
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;

/// Starts to connect; whether it is connected already.
pub(super) fn dial(
    net: &mut Net<UvInterface>,
    conn: Conn,
    to: &Endpoint,
    how: &DialOptions,
) -> io::Result<bool> {
    let calls = &mut net.core.stats.syscalls;
    let on = &net.interface.on;
    let stream = match to {
        Endpoint::Tcp(at) => {
            let stream = Handle::open(on, Kind::Tcp, socket::caller(*at, how, calls)?)?;
            calls[Syscall::Connect] += 1;
            connect(&stream, at)?;
            stream
        }
        // Connecting to a Unix socket is done at once or not at all; libuv would not tell that the backlog is full.
        Endpoint::Unix(_) => Handle::open(on, Kind::Pipe, socket::dial(to, how, calls)?.0)?,
    };
    stream.belongs_to(conn.raw().to_bits());
    if let Some(c) = net.core.conns.get_mut(conn) {
        c.io.stream = Some(stream);
    }
    Ok(to.tcp().is_none())
}

fn connect(stream: &Handle, to: &SocketAddr) -> io::Result<()> {
    let request = Box::into_raw(Box::new(MaybeUninit::<uv_connect_t>::zeroed()));
    // SAFETY: the stream is a TCP one, valid and not connected; the address is a valid one until the call returns, which
    // copies it to the kernel; the request is a box of its own that its callback frees.
    let code = unsafe {
        to.with_sockaddr(|address, _| {
            uv_tcp_connect(
                request.cast(),
                stream.raw().cast(),
                address.cast(),
                Some(answered),
            )
        })
    };
    check(code).inspect_err(|_| {
        // SAFETY: just made; where `uv_tcp_connect` fails it keeps no pointer, and calls nothing back.
        drop(unsafe { Box::from_raw(request) });
    })
}

/// The connect callback; the status is that of `SO_ERROR`.
unsafe extern "C" fn answered(request: *mut uv_connect_t, status: i32) {
    // SAFETY: the request is a box that `connect` made; libuv is done with it. Its stream is valid until the close
    // callback, which comes after this. The context's engine is used by nobody else now.
    unsafe {
        let stream = (*request).handle;
        drop(Box::from_raw(request.cast::<MaybeUninit<uv_connect_t>>()));
        let Some(context) = Context::of((*stream).loop_) else {
            return;
        };
        context.events += 1;
        let net = &mut (*context.engine).delivery.net;
        if let Some(conn) = read::conn(stream::id(stream)) {
            let answer = if status < 0 { Err(error(status)) } else { Ok(true) };
            net.dialed(conn, answer);
            net.core.make_ready(conn);
        }
    }
}
