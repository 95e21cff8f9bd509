//! Scripts that some faults are kept from.

use sockman_backends::uring::faults::Fault;

/// Faults that cut sends short: what is left leaves in the next turn, or the one after.
const SENDS: &[Fault] = &[
    Fault::SendShort,
    Fault::SendAgain,
    Fault::SendInterrupted,
    Fault::CallShort,
    Fault::CallAgain,
];

/// Scripts that listen to the peer, or wait for a failure, without a turn of the loop in between; that a callback refuses
/// the connection that it has sent to, which is tried once; or that expect the kernel to take what it has room for.
const WITHOUT_A_TURN: &[&str] = &[
    "an_instant_dial_still_opens_later",
    "a_foreign_loop_is_told_of_writability",
    "a_foreign_poll_loop_gets_the_same_results",
    "a_foreign_epoll_loop_gets_the_same_results",
    "a_flood_does_not_starve_the_pings",
    "eof_comes_once",
    "a_half_closed_client_gets_its_answer",
    "a_detached_connection_that_is_kept_is_closed_with_its_reason",
    "a_connection_may_be_handed_to_another_loop",
    "detach_is_refused_outside_open",
    "a_wake_during_a_turn_is_not_lost",
    "a_broadcast_leaves_in_the_same_turn",
    "what_a_callback_sends_leaves_in_the_same_turn",
    "with_flushes_on_return",
    "a_write_error_stops_writing_and_reading_goes_on",
    "a_connection_refused_in_open_is_closed_silently",
    "one_large_response_is_not_an_offence",
    "busy_peers_on_another_thread_are_all_answered",
];

/// Scripts that count turns, system calls or events, or ask whether the loop has nothing to do: whatever ends early makes
/// one more turn. They run without faults and with their own settings.
const COUNTED: &[&str] = &[
    "idle_connections_wake_nobody",
    "a_message_costs_the_same_beside_idle_connections",
    "a_short_message_is_one_read_and_one_write",
    "wakes_between_turns_cost_one_system_call",
    "a_post_wakes_a_sleeping_loop_without_a_tick",
    "a_backlog_is_drained_in_a_burst",
    "next_deadline_is_the_next_timers_time",
    "timers_fire_in_order_and_never_early",
    "resume_offers_unread_bytes_without_sleeping",
    "an_answer_may_come_long_after_eof",
    "many_pieces_leave_in_one_write",
    "header_and_payload_leave_in_one_write",
    "wakes_are_coalesced",
    "a_paused_connection_hears_of_no_end",
];

/// Whether `script`, whose full name is given, runs without faults.
pub(super) fn is_counted(script: &str) -> bool {
    COUNTED.contains(&name(script))
}

fn name(script: &str) -> &str {
    script.rsplit("::").next().unwrap_or(script)
}

/// The faults that are kept from `script`, whose full name is given.
pub(super) fn from(script: &str) -> &'static [Fault] {
    let name = name(script);
    if WITHOUT_A_TURN.contains(&name) {
        SENDS
    } else {
        &[]
    }
}
