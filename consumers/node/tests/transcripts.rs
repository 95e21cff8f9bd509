//! What the HTTP server answers to a table of requests, on every backend that is compiled in: always what stands in the file of
//! transcripts, which is made in the simulation (see `consumers/http/tests/transcripts`).

#[path = "../../http/tests/server/app.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod app;
#[path = "../../http/tests/transcripts/table.rs"]
#[macro_use]
mod table;
#[path = "../../http/tests/requests/cases.rs"]
mod cases;
#[path = "../../http/tests/transcripts/real.rs"]
mod real;
#[path = "../../http/tests/transcripts/served.rs"]
mod served;
#[path = "../../http/tests/transcripts/transcript.rs"]
#[allow(dead_code, reason = "the file is not written here")]
mod transcript;

const GOLDEN: &str = include_str!("../../http/tests/transcripts/transcripts.txt");

macro_rules! on {
    ($($feature:literal $name:ident $backend:ident;)*) => {
        $(
            #[cfg(feature = $feature)]
            #[test]
            fn $name() {
                real::check::<sockman_backends::$backend>(&transcript::all_cases(), GOLDEN);
            }
        )*
    };
}

on! {
    "mio" every_case_on_mio Mio;
    "polling" every_case_on_polling Polling;
    "uv" every_case_on_uv Uv;
    "uring" every_case_on_uring Uring;
}
