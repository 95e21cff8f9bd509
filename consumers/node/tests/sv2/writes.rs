//! What the loop does for a frame: one write, and nothing once nothing comes.

use crate::peer::{Peer, Template, Tip, dial, request, usual_setup};
use crate::served::{Served, settings, transactions, work};
use rustix::net::sockopt;
use sockman_backends::sockman::bytes::Bytes;
use sockman_backends::sockman::{
    Backend, Config, Conn, Driver, Endpoint, Handler, Origin, SockMan, Stats, Syscall,
};
use sockman_sv2::wire::{Authority, Chance};
use sockman_sv2::{Provider, Solution, Source, Work};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// Every answer leaves in one write, and a new tip's two frames in one as well.
pub(crate) fn one_write_each<B: Backend>() {
    let served = Served::start::<B>(settings(), work(101, transactions(100, 10)));
    let mut peer = Peer::shaken(served.at, &served.key);
    let mut before = written(&served.until(|stats| written(stats) == 1));
    let mut in_one = |served: &Served, what: &str| {
        // What is counted comes after the turn that has sent it, and there is no other.
        let stats = served.until(|stats| written(stats) > before);
        assert_eq!(written(&stats), before + 1, "{what}");
        before += 1;
    };
    peer.say(usual_setup());
    peer.hear();
    in_one(&served, "the set-up's answer");
    let (template, _) = peer.begin();
    in_one(&served, "the first template and its tip");
    peer.data(template.id).expect("it has just come");
    in_one(&served, "20 kB of transactions");
    peer.data(template.id + 1).expect_err("there is none");
    in_one(&served, "an error");
    served.tell(work(102, transactions(5, 10)));
    Template::of(peer.hear().templates());
    Tip::of(peer.hear().templates());
    in_one(&served, "a new tip");
    // Those that come together are answered together.
    let three: Vec<_> = (0..3).map(|_| peer.seal(request(template.id))).collect();
    peer.write(&three.concat());
    (0..3).for_each(|_| drop(peer.hear()));
    in_one(&served, "three requests in a segment");
}

fn written(stats: &Stats) -> u64 {
    stats.syscalls[Syscall::Write]
}

/// With a hundred clients that have all they want the loop sleeps.
pub(crate) fn idle<B: Backend>() {
    let served = Served::start::<B>(settings(), work(101, transactions(3, 10)));
    let mut peers: Vec<_> = (0..100).map(|_| Peer::ready(served.at, &served.key)).collect();
    for peer in &mut peers {
        peer.begin();
    }
    let so_far = |stats: &Stats| stats.bytes_in == 100 * peer_bytes();
    let before = served.until(so_far);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(served.stats().turns, before.turns, "it turns for nothing");
    served.tell(work(102, transactions(3, 10)));
    for peer in &mut peers {
        Template::of(peer.hear().templates());
        Tip::of(peer.hear().templates());
    }
}

/// What a client has sent that has said all it had to.
fn peer_bytes() -> u64 {
    const FRAME: u64 = 6 + 16 + 16;
    // A key, the set-up (whose texts have 9 and 13 bytes, and their lengths), and the constraints.
    let setup = 1 + 2 + 2 + 4 + (1 + 9) + 2 + (1 + 13) + 3;
    64 + (FRAME + setup) + (FRAME + 6)
}

/// A provider whose listener others listen on, who take each connection away.
struct Catcher {
    provider: Provider<Nothing>,
    caught: Vec<OwnedFd>,
}

struct Nothing;

impl Source for Nothing {
    fn work(&self) -> Option<Arc<Work>> {
        None
    }

    fn solved(&mut self, _: Solution) {}
}

impl Handler for Catcher {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &Origin) -> Option<()> {
        self.caught.extend(net.detach(conn));
        None
    }

    fn received<S: SockMan>(&mut self, _: &mut S, _: Conn, (): &mut (), data: &mut [u8]) -> usize {
        data.len()
    }

    fn posted<S: SockMan>(&mut self, _: &mut S, _: Conn, (): &mut (), _: Bytes) {}
}

/// Clients' sockets do not wait for more before they send, and are asked whether they are still there.
pub(crate) fn options<B: Backend>() {
    let authority = Authority::generate(&mut Chance::new([2; 32]));
    let catcher = Catcher {
        provider: Provider::new(settings(), authority, Nothing),
        caught: Vec::new(),
    };
    let mut driver = Driver::<B, _>::new(&Config::default(), catcher).expect("a backend");
    let any: Endpoint = "127.0.0.1:0".parse().expect("an address");
    let at = driver.with(|catcher, net| catcher.provider.listen(net, &any));
    let _client = dial(at.expect("a port is free").tcp().expect("it is of TCP"));
    while driver.handler().caught.is_empty() {
        driver.turn(None).expect("no turn fails");
    }
    let socket = &driver.handler().caught[0];
    assert_eq!(sockopt::tcp_nodelay(socket), Ok(true));
    assert_eq!(sockopt::socket_keepalive(socket), Ok(true));
    assert_eq!(sockopt::tcp_keepidle(socket), Ok(Duration::from_secs(60)));
}
