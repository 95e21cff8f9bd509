//! The server on the simulated network: what it answers, when, and what becomes of its connections. Time is virtual.
//!
//! - `rig`: a server and its clients; `app`: what it serves; `answers`: what clients hear, taken apart
//! - `order`, `pipelines`, `bodies`, `streams`, `closing`, `stopping`, `log`: what is promised; `slow`: to clients that are slow or
//!   gone
//! - `deadlines`, `limits`: each just kept and just exceeded, with its counter
//! - `cost`: system calls, and work for dripped bytes

mod answers;
mod app;
mod rig;

mod bodies;
mod closing;
mod cost;
mod deadlines;
mod limits;
mod log;
mod order;
mod pipelines;
mod slow;
mod stopping;
mod streams;
