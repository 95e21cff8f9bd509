//! One thread at a time; `model` has them all together.

use super::*;
use crate::id::{Id, RawId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Wake;
use std::thread;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn mailbox(limit: usize) -> (Arc<Count>, Mailbox) {
    let count = Arc::new(Count::default());
    (count.clone(), Mailbox::new(count.into(), limit))
}

fn conn() -> Conn {
    Conn::from_raw(RawId::new(0, 0, 1).expect("in range"))
}

#[test]
fn one_system_call_per_sleep() {
    let (wakes, mailbox) = mailbox(1 << 20);
    let remote = mailbox.remote();
    for _ in 0..5 {
        remote.wake();
        remote.post(conn(), "x").expect("room");
    }
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert!(mailbox.pending() && mailbox.awake() && !mailbox.pending());
    remote.wake();
    mailbox.sleep();
    assert!(
        mailbox.pending(),
        "what came while awake keeps the loop from sleeping"
    );
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1, "and costs no system call");
    assert!(mailbox.awake());
    mailbox.sleep();
    assert!(!mailbox.pending());
    remote.wake();
    assert_eq!(wakes.0.load(Ordering::SeqCst), 2);
}

#[test]
fn commands_come_in_order_and_once() {
    let (_, mailbox) = mailbox(1 << 20);
    let remote = mailbox.remote();
    remote.post(conn(), "a").expect("room");
    remote.disconnect(conn(), Disconnect::Now).expect("open");
    let mut commands = Vec::new();
    assert!(!remote.take(&mut commands), "nobody called wake");
    assert!(matches!(
        commands[..],
        [Command::Post(..), Command::Disconnect(..)]
    ));
    commands.clear();
    remote.wake();
    assert!(remote.take(&mut commands) && commands.is_empty());
    assert!(!remote.take(&mut commands));
}

#[test]
fn posted_bytes_are_bounded_and_other_commands_are_not() {
    let (_, mailbox) = mailbox(10);
    let remote = mailbox.remote();
    assert_eq!(
        remote.post(conn(), vec![0; 20]),
        Ok(()),
        "an empty queue takes anything"
    );
    assert_eq!(remote.post(conn(), "x"), Err(RemoteError::Full));
    assert_eq!(remote.stop(Duration::ZERO), Ok(()));
    remote.take(&mut Vec::new());
    assert_eq!(remote.post(conn(), "x"), Ok(()));
}

#[test]
fn a_dropped_loop_says_so() {
    let (_, mailbox) = mailbox(10);
    let remote = mailbox.remote();
    drop(mailbox);
    assert_eq!(remote.post(conn(), "x"), Err(RemoteError::Gone));
    remote.wake();
}

#[test]
fn what_was_posted_may_use_the_remote_when_it_is_dropped() {
    struct Last(Remote);

    impl AsRef<[u8]> for Last {
        fn as_ref(&self) -> &[u8] {
            b"x"
        }
    }

    impl Drop for Last {
        fn drop(&mut self) {
            assert_eq!(self.0.post(conn(), "y"), Err(RemoteError::Gone));
        }
    }

    let (_, mailbox) = mailbox(10);
    let remote = mailbox.remote();
    let data = Bytes::from_owner(Last(remote.clone()));
    remote.post(conn(), data).expect("room");
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        drop(mailbox);
        let _ = done.send(());
    });
    finished
        .recv_timeout(Duration::from_secs(60))
        .expect("the queue is not locked while data is dropped");
}
