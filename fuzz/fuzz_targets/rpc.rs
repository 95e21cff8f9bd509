//! Bodies of JSON-RPC: whatever comes, the reply is JSON or nothing, and a batch has one for each element that wants one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use sockman_http::rpc::{
    Access, Amount, Call, Dispatcher, Done, Instance, Message, Method, Methods, On, Out, Place, Request,
    RpcError,
};
use std::borrow::Cow;

/// A method that takes parameters of many types.
fn types(_: &(), call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let text: Option<Cow<'_, str>> = call.get(0)?;
    let number: Option<i64> = call.get(1)?;
    let amount: Option<Amount> = call.get(2)?;
    let any: Option<serde_json::Value> = call.get(3)?;
    out.json(&(text, number, amount, any, call.raw(1)))
}

/// A member of a reply that is to be there, with null as well.
fn has(reply: &str, member: &str) -> bool {
    reply.contains(&format!("\"{member}\":"))
}

fuzz_target!(|body: &[u8]| {
    let types = ["text", "number|n", "amount", "any"]
        .into_iter()
        .fold(Method::new("types", types), Method::optional);
    let dispatcher = Dispatcher::new(Methods::empty().with_all([types]), Instance::new("fuzz"), ()).batch(8);
    let echo = Dispatcher::new(Methods::new(), Instance::new("fuzz"), ()).batch(8);
    let access = Access::everything("fuzz");
    for (dispatcher, wallet) in [(&dispatcher, false), (&echo, false), (&echo, true)] {
        let message = dispatcher.read(body);
        if dispatcher.place(&message) == Place::Worker {
            // It would sleep.
            continue;
        }
        let (access, place) = (&access, Place::Loop);
        let answer = dispatcher.run(
            &message,
            On {
                access,
                wallet,
                place,
            },
        );
        let status = answer.status.as_u16();
        if status == 204 {
            assert!(answer.body.is_empty());
        } else {
            let text = std::str::from_utf8(&answer.body).expect("UTF-8");
            assert!(text.ends_with('\n'));
            serde_json::from_str::<&RawValue>(text).expect("JSON");
        }
        match message {
            Message::Batch(items) => {
                let silent =
                    |item: &&Result<Request<'_>, _>| item.as_ref().is_ok_and(Request::is_notification);
                let wanted = items.len() - items.iter().filter(silent).count();
                if status == 204 {
                    assert!(wanted == 0 && !items.is_empty());
                } else {
                    let replies: Vec<&RawValue> = serde_json::from_slice(&answer.body).expect("a batch");
                    assert_eq!((status, replies.len()), (200, wanted));
                    assert!(replies.iter().all(|reply| has(reply.get(), "id")));
                }
            }
            Message::Single(Ok(request)) => {
                assert!(matches!(status, 200 | 204 | 404 | 500));
                assert_eq!(status == 204, request.is_notification());
                assert!(status == 204 || has(&String::from_utf8_lossy(&answer.body), "id"));
            }
            Message::Single(Err(_)) => assert_eq!(status, 400),
            Message::Bad(_) => assert!(matches!(status, 400 | 500)),
        }
    }
});
