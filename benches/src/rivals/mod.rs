//! What the backends are compared with. Each file but one is a rival, and short.
//!
//! - [`epoll`]: an echo server written by hand on epoll: the floor, and the baseline of every ratio
//! - [`polling_loop`]: the same on the crate `polling`
//! - [`tokio`]: the same on tokio, current thread
//! - `libuv` (feature `uv`): the same in C on libuv
//! - `uring` (feature `uring`): the same by hand on `io_uring`
//! - [`dynamic`]: our echo handler behind trait objects; [`async_trait`]: called through async-trait
//! - [`tick`]: a loop in the shape that was criticised
//! - [`eventfd`]: an eventfd and an epoll, the floor of waking a loop
//! - [`http`]: servers of HTTP; [`ibd`]: downloading and serving blocks; [`sv2`]: giving templates
//! - [`parts`]: what the loops written by hand have in common
//!
//! Each `run` announces itself by its argument and serves until the process ends.

pub mod async_trait;
pub mod dynamic;
pub mod epoll;
pub mod eventfd;
pub mod http;
pub mod ibd;
#[cfg(feature = "uv")]
pub mod libuv;
pub mod parts;
pub mod polling_loop;
pub mod sv2;
pub mod tick;
pub mod tokio;
#[cfg(feature = "uring")]
pub mod uring;
