//! What our HTTP server is compared with. Each file but two is a rival, and short.
//!
//! - [`epoll`]: written by hand on epoll, without parsing: the floor, and the baseline of every ratio
//! - [`tail`]: the same with a worker thread
//! - `uring` (feature `uring`): the floor on `io_uring`
//! - [`nginx`]: Debian's nginx, a process of its own
//! - `hyper`, `may_minihttp`, `ntex`, `evhttp` (feature `http-rivals`): these libraries; evhttp is libevent's, and used from C
//! - [`floor`]: what the floors know of their requests; [`worker`]: a thread that others hand jobs to
//!
//! Each answers `GET /hello` with a text, `POST /echo` with the body and `POST /` with the result of a call, as far as it says
//! that it does these works.

pub mod epoll;
#[cfg(feature = "http-rivals")]
pub mod evhttp;
pub mod floor;
#[cfg(feature = "http-rivals")]
pub mod hyper;
#[cfg(feature = "http-rivals")]
pub mod may_minihttp;
pub mod nginx;
#[cfg(feature = "http-rivals")]
pub mod ntex;
pub mod tail;
#[cfg(feature = "uring")]
pub mod uring;
pub mod worker;
