use super::*;

fn conn(slot: usize, generation: u32) -> Conn {
    Conn::from_raw(RawId::new(Conn::KIND, slot, generation).expect("in range"))
}

struct Clock(Instant);

impl Clock {
    fn at(&self, ms: u64) -> Instant {
        self.0 + Duration::from_millis(ms)
    }

    fn fired(&self, timers: &mut Timers, ms: u64) -> Vec<Due> {
        timers.collect(self.at(ms));
        std::iter::from_fn(|| timers.take_due(self.at(ms))).collect()
    }
}

fn new() -> (Clock, Timers) {
    let base = Instant::now();
    (Clock(base), Timers::new(base))
}

#[test]
fn fires_in_order_of_time_and_then_of_setting() {
    let (clock, mut timers) = new();
    timers.insert(clock.at(20), 1);
    timers.insert(clock.at(10), 2);
    timers.insert(clock.at(10), 3);
    timers.set_deadline(conn(5, 1), Some(clock.at(10)));
    assert_eq!(timers.next_time(), Some(clock.at(10)));
    assert_eq!(clock.fired(&mut timers, 9), []);
    assert_eq!(
        clock.fired(&mut timers, 10),
        [Due::Timer(2), Due::Timer(3), Due::Deadline(conn(5, 1))]
    );
    assert_eq!(clock.fired(&mut timers, 30), [Due::Timer(1)]);
    assert_eq!(timers.next_time(), None);
}

#[test]
fn a_deadline_moved_later_leaves_the_heap_alone() {
    let (clock, mut timers) = new();
    let one = conn(0, 1);
    for ms in 100..10_000 {
        timers.set_deadline(one, Some(clock.at(ms)));
    }
    assert_eq!(timers.heap.len(), 1);
    assert_eq!(clock.fired(&mut timers, 9_998), []);
    assert_eq!(timers.deadline(one), Some(clock.at(9_999)));
    assert_eq!(clock.fired(&mut timers, 9_999), [Due::Deadline(one)]);
    assert_eq!(clock.fired(&mut timers, 99_999), []);
}

#[test]
fn a_deadline_moved_earlier_or_cleared_is_honoured() {
    let (clock, mut timers) = new();
    let one = conn(0, 1);
    timers.set_deadline(one, Some(clock.at(50)));
    timers.set_deadline(one, Some(clock.at(10)));
    assert_eq!(clock.fired(&mut timers, 10), [Due::Deadline(one)]);
    assert_eq!(clock.fired(&mut timers, 50), []);
    timers.set_deadline(one, Some(clock.at(60)));
    timers.set_deadline(one, None);
    assert_eq!(
        timers.next_time(),
        None,
        "nothing wakes the loop for a deadline that was cleared"
    );
    timers.set_deadline(one, Some(clock.at(70)));
    assert_eq!(clock.fired(&mut timers, 70), [Due::Deadline(one)]);
}

#[test]
fn a_new_connection_in_the_slot_has_no_deadline() {
    let (clock, mut timers) = new();
    timers.set_deadline(conn(0, 1), Some(clock.at(10)));
    timers.set_deadline(conn(0, 2), None);
    assert_eq!(timers.deadline(conn(0, 2)), None);
    assert_eq!(clock.fired(&mut timers, 20), []);
}

#[test]
fn what_callbacks_change_in_the_batch_is_seen() {
    let (clock, mut timers) = new();
    let cancelled = timers.insert(clock.at(1), 7);
    let [moved, cleared] = [conn(1, 1), conn(2, 1)];
    timers.set_deadline(moved, Some(clock.at(1)));
    timers.set_deadline(cleared, Some(clock.at(1)));
    timers.collect(clock.at(5));
    assert!(timers.cancel(cancelled));
    assert!(!timers.cancel(cancelled));
    timers.set_deadline(moved, Some(clock.at(9)));
    timers.set_deadline(cleared, None);
    assert_eq!(timers.take_due(clock.at(5)), None);
    assert_eq!(clock.fired(&mut timers, 9), [Due::Deadline(moved)]);
}

#[test]
fn what_is_set_for_now_by_a_callback_waits_for_the_next_turn() {
    let (clock, mut timers) = new();
    let one = conn(0, 1);
    timers.insert(clock.at(1), 1);
    timers.set_deadline(one, Some(clock.at(1)));
    timers.collect(clock.at(1));
    timers.insert(clock.at(0), 2);
    timers.set_deadline(one, Some(clock.at(0)));
    assert_eq!(timers.take_due(clock.at(1)), Some(Due::Timer(1)));
    assert_eq!(timers.take_due(clock.at(1)), None);
    assert_eq!(clock.fired(&mut timers, 1), [Due::Timer(2), Due::Deadline(one)]);
}

#[test]
fn cancelled_timers_do_not_pile_up() {
    let (clock, mut timers) = new();
    let kept = timers.insert(clock.at(5_000), 0);
    for n in 0..100_000 {
        let timer = timers.insert(clock.at(10_000 + n), n);
        timers.cancel(timer);
        // A deadline that comes ever earlier leaves an entry behind each time.
        timers.set_deadline(conn(3, 1), Some(clock.at(200_000 - n)));
    }
    assert!(
        timers.heap.len() <= 2 * SWEEP_MIN,
        "{} entries",
        timers.heap.len()
    );
    assert!(timers.cancel(kept));
}
