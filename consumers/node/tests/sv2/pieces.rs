//! What comes of bytes does not depend on how they come.

use crate::peer::{Greeting, Peer, constraints, dial, request, usual_setup};
use crate::served::{Served, settings, transactions, work};
use parsers_sv2::TemplateDistribution;
use sockman_backends::sockman::Backend;
use sockman_sv2::Count;
use std::io::Write;
use std::net::TcpStream;

/// Requests that a client has on their way at once.
const REQUESTS: u64 = 64;

/// How a client sends.
#[derive(Clone, Copy, Debug)]
enum How {
    /// A frame, and the next when it is answered.
    OneByOne,
    /// A byte, and the next when the server has it.
    Dribbled,
    /// All at once.
    Together,
}

/// Frames dribbled byte by byte, and 64 requests in one segment, are answered as frames are that come one by one.
pub(crate) fn same_answers<B: Backend>() {
    let [one, dribbled, together] = [How::OneByOne, How::Dribbled, How::Together].map(answers::<B>);
    assert_eq!(one.len(), 3 + REQUESTS as usize);
    assert_eq!(one, dribbled);
    assert_eq!(one, together);
}

fn answers<B: Backend>(how: How) -> Vec<String> {
    let served = Served::start::<B>(settings(), work(101, transactions(20, 10)));
    let greeting = Greeting::new(&served.key);
    let mut stream = dial(served.at);
    match how {
        How::Dribbled => dribble(&served, &mut stream, &greeting.hello),
        _ => stream.write_all(&greeting.hello).expect("the server reads"),
    }
    let mut peer = greeting.finish(stream).expect("the authority's certificate");

    let begin = [peer.seal(usual_setup()), peer.seal(constraints(100, 4))];
    let mut frames = exchange(&served, &mut peer, how, &begin, &[1, 2]);
    let first = match frames[1].templates() {
        TemplateDistribution::NewTemplate(new) => new.template_id,
        other => panic!("no template: {other}"),
    };
    // Templates that there are, and ones that there are not.
    let asked = (0..REQUESTS).map(|number| if number % 3 == 0 { first + number } else { first });
    let ask: Vec<_> = asked.map(|id| peer.seal(request(id))).collect();
    frames.extend(exchange(&served, &mut peer, how, &ask, &[1; REQUESTS as usize]));
    assert_eq!(served.count(Count::data_unknown), REQUESTS / 3);
    assert_eq!(served.count(Count::frames), 2 + REQUESTS);

    let setup = format!("{:?}", frames[0].common());
    let rest = frames[1..]
        .iter_mut()
        .map(|frame| normal(frame.templates(), first));
    std::iter::once(setup).chain(rest).collect()
}

/// Sends frames, and gives what is answered: to each so many.
fn exchange(
    served: &Served,
    peer: &mut Peer,
    how: How,
    frames: &[Vec<u8>],
    answers: &[usize],
) -> Vec<crate::peer::Frame> {
    let all: usize = answers.iter().sum();
    match how {
        How::OneByOne => {
            let mut heard = Vec::new();
            for (frame, count) in frames.iter().zip(answers) {
                peer.write(frame);
                heard.extend((0..*count).map(|_| peer.hear()));
            }
            return heard;
        }
        How::Dribbled => dribble(served, &mut peer.stream, &frames.concat()),
        How::Together => {
            let bytes = frames.concat();
            assert!(bytes.len() < 16 << 10, "more than a segment");
            peer.write(&bytes);
        }
    }
    (0..all).map(|_| peer.hear()).collect()
}

/// Sends byte by byte: each when the server has received those before it.
fn dribble(served: &Served, stream: &mut TcpStream, bytes: &[u8]) {
    let before = served.stats().bytes_in;
    for (byte, number) in bytes.iter().zip(1..) {
        stream.write_all(&[*byte]).expect("the server reads");
        served.until(|stats| stats.bytes_in == before + number);
    }
}

/// A message whose numbers count from the first.
fn normal(message: TemplateDistribution<'_>, first: u64) -> String {
    match message {
        TemplateDistribution::NewTemplate(mut new) => {
            new.template_id -= first;
            format!("{new:?}")
        }
        TemplateDistribution::SetNewPrevHash(mut prev) => {
            prev.template_id -= first;
            format!("{prev:?}")
        }
        TemplateDistribution::RequestTransactionDataSuccess(mut data) => {
            data.template_id -= first;
            format!("{data:?}")
        }
        TemplateDistribution::RequestTransactionDataError(mut refused) => {
            refused.template_id -= first;
            format!("{refused:?}")
        }
        other => panic!("a server does not say {other}"),
    }
}
