//! The conformance suite of `sockman`: one public function for each behaviour that the contract promises, generic over
//! the backend and its world, and macros that make each of them a named test.
//!
//! # Running it on a backend of your own
//!
//! ```
//! // tests/conformance.rs in your crate. `sockman_backends::DefaultBackend` stands for `your_crate::YourBackend`, which
//! // implements `sockman::Backend` and `AsFd`.
//! sockman_tests::conformance!(mine, sockman_backends::DefaultBackend);
//! # fn main() {}
//! ```
//!
//! That makes `mine::tcp::…`, `mine::tcp6::…` and `mine::unix::…`, which run under `cargo test` and `cargo nextest`.
//! A backend whose world is not this machine's sockets (a simulation) implements [`Rig`] with its [`Peer`]s and
//! [`Host`]s and uses [`simulated_conformance!`]: the `machine_…` scripts, and they alone, are left out, since they need
//! real descriptors, processes or threads.
//!
//! # What is where
//!
//! - `rig`: the world of a script; [`Rig`], and [`Real`] for real sockets, whose peers are those of the standard library
//! - `recorder`: the handler of the scripts, [`Recorder`]: logs every callback and checks what always holds of them
//! - `stage`: [`Stage`], a rig with a driver, and what scripts do with them again and again
//! - `group`: loops on threads, and what scripts about several have these do
//! - [`model`]: operations, and what must come of them
//! - [`traces`]: scenarios whose handler calls must be the same on every backend, and what compares them
//! - `list`: which scripts there are, for which rigs, and the macros
//! - `faults`: the io_uring backend under injected faults, for `uring_faults` and with the feature of that name
//! - each other module is a chapter of the contract, or of what is composed on it
//!
//! # Which test stands for which point of the contract
//!
//! Whatever the script, the recorder checks points 1, 2, 4 and 7 at each callback. Those in [`machine_scripts!`] and its
//! kin need real descriptors, processes or threads.
//!
//! | point | promise | scripts |
//! |---|---|---|
//! | 1 | `open`, then any, then `closed`, once | [`a_life_is_open_received_eof_closed`](order::a_life_is_open_received_eof_closed), [`only_closed_follows_disconnect`](order::only_closed_follows_disconnect), [`a_handler_may_disconnect_itself_inside_received`](order::a_handler_may_disconnect_itself_inside_received), [`a_handler_may_disconnect_itself_inside_open`](order::a_handler_may_disconnect_itself_inside_open), [`a_connection_refused_in_open_is_closed_silently`](order::a_connection_refused_in_open_is_closed_silently), [`closings_are_reported_after_the_callback`](order::closings_are_reported_after_the_callback), [`a_turn_that_delivered_does_not_sleep`](order::a_turn_that_delivered_does_not_sleep), [`random_operations_keep_the_contract`](soundness::random_operations_keep_the_contract) |
//! | 2 | ids are never used again | [`operations_on_a_dead_id_do_nothing`](ids::operations_on_a_dead_id_do_nothing), [`dead_listeners_and_timers_do_nothing`](ids::dead_listeners_and_timers_do_nothing), [`ids_are_never_reused`](ids::ids_are_never_reused), [`stale_events_do_not_reach_the_next_owner`](ids::stale_events_do_not_reach_the_next_owner), [`stale_events_do_not_reach_a_connection_dialled_from_closed`](ids::stale_events_do_not_reach_a_connection_dialled_from_closed), [`a_dead_connections_deadline_is_not_its_heirs`](ids::a_dead_connections_deadline_is_not_its_heirs), [`random_operations_keep_the_contract`](soundness::random_operations_keep_the_contract) |
//! | 3 | bytes complete, in order, before the end | [`bytes_arrive_in_order`](bytes::bytes_arrive_in_order), [`an_echo_returns_every_byte`](bytes::an_echo_returns_every_byte), [`data_and_hang_up_in_one_event`](bytes::data_and_hang_up_in_one_event), [`data_and_hang_up_after_our_half_close`](bytes::data_and_hang_up_after_our_half_close), [`a_long_tail_and_hang_up_in_one_event`](bytes::a_long_tail_and_hang_up_in_one_event), [`a_read_that_fills_the_buffer_exactly_loses_nothing`](bytes::a_read_that_fills_the_buffer_exactly_loses_nothing), [`bytes_before_a_reset_are_delivered`](bytes::bytes_before_a_reset_are_delivered), [`random_operations_keep_the_contract`](soundness::random_operations_keep_the_contract) |
//! | 4 | `eof` once, sending goes on | [`eof_comes_once`](half_close::eof_comes_once), [`a_half_closed_client_gets_its_answer`](half_close::a_half_closed_client_gets_its_answer), [`an_answer_may_come_long_after_eof`](half_close::an_answer_may_come_long_after_eof), [`finish_sends_what_is_queued_and_leaves_reading_open`](half_close::finish_sends_what_is_queued_and_leaves_reading_open) |
//! | 5 | `send`: at once, in order, counted, bounded | [`what_a_callback_sends_leaves_in_the_same_turn`](sending::what_a_callback_sends_leaves_in_the_same_turn), [`with_flushes_on_return`](sending::with_flushes_on_return), [`a_broadcast_leaves_in_the_same_turn`](sending::a_broadcast_leaves_in_the_same_turn), [`order_is_kept_across_all_ways_of_sending`](sending::order_is_kept_across_all_ways_of_sending), [`a_peer_that_never_reads_hits_the_mark_and_then_the_limit`](sending::a_peer_that_never_reads_hits_the_mark_and_then_the_limit), [`one_large_response_is_not_an_offence`](sending::one_large_response_is_not_an_offence), [`a_write_error_stops_writing_and_reading_goes_on`](sending::a_write_error_stops_writing_and_reading_goes_on), [`a_disconnected_side_takes_no_bytes`](sending::a_disconnected_side_takes_no_bytes), [`what_one_callback_queues_is_counted`](sending::what_one_callback_queues_is_counted), [`sends_to_several_connections_by_turns_keep_their_order`](sending::sends_to_several_connections_by_turns_keep_their_order) |
//! | 6 | `disconnect`, and reasons told apart | [`flush_delivers_everything_queued`](disconnecting::flush_delivers_everything_queued), [`flush_survives_unread_input`](disconnecting::flush_survives_unread_input), [`flush_gives_up_at_its_limit`](disconnecting::flush_gives_up_at_its_limit), [`a_peer_that_never_closes_does_not_hold_a_flush`](disconnecting::a_peer_that_never_closes_does_not_hold_a_flush), [`now_cuts_a_flush_short`](disconnecting::now_cuts_a_flush_short), [`now_closes_at_once`](disconnecting::now_closes_at_once), [`reset_sends_rst`](disconnecting::reset_sends_rst), [`reasons_are_told_apart`](disconnecting::reasons_are_told_apart), [`what_now_lets_through_is_a_prefix`](disconnecting::what_now_lets_through_is_a_prefix), [`a_flush_ends_when_its_peer_goes`](disconnecting::a_flush_ends_when_its_peer_goes) |
//! | 7 | a pause delivers nothing and loses nothing | [`a_paused_connection_delivers_nothing_until_resumed`](pausing::a_paused_connection_delivers_nothing_until_resumed), [`a_pause_inside_received_holds_at_once`](pausing::a_pause_inside_received_holds_at_once), [`a_paused_connection_hears_of_no_end`](pausing::a_paused_connection_hears_of_no_end), [`a_write_error_waits_for_the_end_of_the_pause`](pausing::a_write_error_waits_for_the_end_of_the_pause), [`deadline_and_drained_run_while_paused`](pausing::deadline_and_drained_run_while_paused), [`parked_bytes_are_no_offence`](pausing::parked_bytes_are_no_offence), [`resume_offers_unread_bytes_without_sleeping`](pausing::resume_offers_unread_bytes_without_sleeping), [`a_resume_inside_received_offers_the_rest_again`](pausing::a_resume_inside_received_offers_the_rest_again) |
//! | 8 | `drained` once per `High` | [`drained_comes_once_per_high`](marks::drained_comes_once_per_high), [`drained_does_not_come_without_high`](marks::drained_does_not_come_without_high), [`a_producer_led_by_drained_delivers_everything`](marks::a_producer_led_by_drained_delivers_everything), [`a_peer_that_resets_does_not_hold_who_waits_for_drained`](marks::a_peer_that_resets_does_not_hold_who_waits_for_drained) |
//! | 9 | unread bytes are bounded | [`a_peer_above_the_unread_bound_is_closed`](unread::a_peer_above_the_unread_bound_is_closed), [`slow_consumption_is_no_offence`](unread::slow_consumption_is_no_offence), [`unconsumed_bytes_come_back_in_front`](unread::unconsumed_bytes_come_back_in_front), [`bytes_changed_in_place_stay_changed`](unread::bytes_changed_in_place_stay_changed), [`want_holds_delivery_back_once`](unread::want_holds_delivery_back_once), [`want_gives_way_to_the_end`](unread::want_gives_way_to_the_end), [`want_above_the_bound_is_an_error`](unread::want_above_the_bound_is_an_error), [`consuming_more_than_all_is_all`](unread::consuming_more_than_all_is_all), [`wanted_messages_of_all_sizes_come_whole`](wanting::wanted_messages_of_all_sizes_come_whole), [`a_wanted_message_may_drip_and_be_paused`](wanting::a_wanted_message_may_drip_and_be_paused), [`a_pause_at_the_end_of_a_wanted_message_holds`](wanting::a_pause_at_the_end_of_a_wanted_message_holds), [`the_end_inside_a_wanted_message_gives_what_there_is`](wanting::the_end_inside_a_wanted_message_gives_what_there_is), [`closing_inside_a_wanted_message_concerns_nobody_else`](wanting::closing_inside_a_wanted_message_concerns_nobody_else), [`a_wanted_flood_does_not_starve_the_pings`](wanting::a_wanted_flood_does_not_starve_the_pings) |
//! | 10 | `Remote`: at once, never lost, coalesced | [`wakes_are_coalesced`](remote::wakes_are_coalesced), [`a_wake_during_a_turn_is_not_lost`](remote::a_wake_during_a_turn_is_not_lost), [`commands_are_carried_out_in_order`](remote::commands_are_carried_out_in_order), [`a_remote_pauses_and_resumes`](remote::a_remote_pauses_and_resumes), [`posts_beyond_the_queue_are_refused`](remote::posts_beyond_the_queue_are_refused), [`a_remote_of_a_dropped_loop_says_so`](remote::a_remote_of_a_dropped_loop_says_so), [`a_post_wakes_a_sleeping_loop_without_a_tick`](remote::a_post_wakes_a_sleeping_loop_without_a_tick), [`wakes_between_turns_cost_one_system_call`](remote::wakes_between_turns_cost_one_system_call), [`racing_wakes_are_never_lost`](remote::racing_wakes_are_never_lost), [`racing_posts_arrive_once_and_in_order`](remote::racing_posts_arrive_once_and_in_order), [`stop_ends_run_once_everything_is_flushed`](remote::stop_ends_run_once_everything_is_flushed), [`a_post_from_another_thread_goes_through_the_layer`](layer::a_post_from_another_thread_goes_through_the_layer), [`stop_closes_what_is_left_after_its_limit`](stopping::stop_closes_what_is_left_after_its_limit) |
//! | 11 | timers and deadlines; idle is idle | [`timers_fire_in_order_and_never_early`](timing::timers_fire_in_order_and_never_early), [`cancelled_timers_do_not_fire`](timing::cancelled_timers_do_not_fire), [`a_timer_may_set_the_next`](timing::a_timer_may_set_the_next), [`a_deadline_fires_once_and_disconnects`](timing::a_deadline_fires_once_and_disconnects), [`a_deadline_rewritten_often_fires_at_the_last_time`](timing::a_deadline_rewritten_often_fires_at_the_last_time), [`a_deadline_pushed_back_in_time_never_fires`](timing::a_deadline_pushed_back_in_time_never_fires), [`timers_and_deadlines_fire_on_a_busy_loop`](timing::timers_and_deadlines_fire_on_a_busy_loop), [`timers_fire_beside_a_flood`](timing::timers_fire_beside_a_flood), [`next_deadline_is_the_next_timers_time`](timing::next_deadline_is_the_next_timers_time), [`idle_connections_wake_nobody`](cost::idle_connections_wake_nobody) |
//! | 12 | one outcome per dial | [`a_dial_opens_once`](dialling::a_dial_opens_once), [`an_instant_dial_still_opens_later`](dialling::an_instant_dial_still_opens_later), [`a_refused_dial_says_so_and_keeps_the_error`](dialling::a_refused_dial_says_so_and_keeps_the_error), [`an_unreachable_dial_says_so_and_keeps_the_error`](dialling::an_unreachable_dial_says_so_and_keeps_the_error), [`an_unanswered_dial_times_out`](dialling::an_unanswered_dial_times_out), [`an_unanswered_dial_does_not_spin`](dialling::an_unanswered_dial_does_not_spin), [`a_dial_to_a_full_backlog_opens_when_there_is_room`](dialling::a_dial_to_a_full_backlog_opens_when_there_is_room), [`a_dial_whose_host_goes_away_is_refused`](dialling::a_dial_whose_host_goes_away_is_refused), [`a_dial_reset_at_once_has_one_outcome`](dialling::a_dial_reset_at_once_has_one_outcome), [`a_dial_may_be_cancelled`](dialling::a_dial_may_be_cancelled), [`a_dial_may_be_cancelled_at_once`](dialling::a_dial_may_be_cancelled_at_once), [`a_dial_with_wrong_options_is_refused_at_once`](dialling::a_dial_with_wrong_options_is_refused_at_once), [`a_failed_dial_may_be_repeated_from_its_callback`](dialling::a_failed_dial_may_be_repeated_from_its_callback), [`dials_above_the_bound_fail`](dialling::dials_above_the_bound_fail) |
//! | 13 | accepting in bursts, and without descriptors | [`a_backlog_is_drained_in_a_burst`](accepting::a_backlog_is_drained_in_a_burst), [`accepting_keeps_to_its_budget`](accepting::accepting_keeps_to_its_budget), [`connections_above_the_bound_wait_in_the_backlog`](accepting::connections_above_the_bound_wait_in_the_backlog), [`clients_gone_before_accept_harm_nobody`](accepting::clients_gone_before_accept_harm_nobody), [`accepting_survives_running_out_of_descriptors`](accepting::accepting_survives_running_out_of_descriptors), [`a_closed_connection_ends_the_rest_of_the_listener`](accepting::a_closed_connection_ends_the_rest_of_the_listener), [`a_dial_without_descriptors_fails_and_the_next_works`](accepting::a_dial_without_descriptors_fails_and_the_next_works) |
//! | 14 | no starvation | [`a_flood_does_not_starve_the_pings`](fairness::a_flood_does_not_starve_the_pings), [`what_the_budget_leaves_is_not_forgotten`](fairness::what_the_budget_leaves_is_not_forgotten), [`a_handler_that_posts_for_ever_starves_nobody`](fairness::a_handler_that_posts_for_ever_starves_nobody), [`a_handler_that_resumes_for_ever_starves_nobody`](fairness::a_handler_that_resumes_for_ever_starves_nobody), [`what_the_budget_leaves_waits_with_the_peer`](fairness::what_the_budget_leaves_waits_with_the_peer), [`busy_peers_on_another_thread_are_all_answered`](fairness::busy_peers_on_another_thread_are_all_answered) |
//! | 15 | a turn costs its ready connections | [`idle_connections_wake_nobody`](cost::idle_connections_wake_nobody), [`a_message_costs_the_same_beside_idle_connections`](cost::a_message_costs_the_same_beside_idle_connections), [`a_short_message_is_one_read_and_one_write`](cost::a_short_message_is_one_read_and_one_write) |
//! | 16 | the caller owns the loop | [`a_foreign_poll_loop_gets_the_same_results`](embedding::a_foreign_poll_loop_gets_the_same_results), [`a_foreign_epoll_loop_gets_the_same_results`](embedding::a_foreign_epoll_loop_gets_the_same_results), [`a_foreign_loop_is_told_of_writability`](embedding::a_foreign_loop_is_told_of_writability) |
//! | 17 | dropping frees everything | [`dropping_a_busy_driver_ends_its_connections_and_frees_its_buffers`](dropping::dropping_a_busy_driver_ends_its_connections_and_frees_its_buffers), [`dropping_a_busy_driver_frees_every_descriptor`](dropping::dropping_a_busy_driver_frees_every_descriptor), [`a_handlers_panic_comes_out_of_turn_and_leaks_nothing`](dropping::a_handlers_panic_comes_out_of_turn_and_leaks_nothing), [`ten_thousand_connections_leave_no_descriptor`](dropping::ten_thousand_connections_leave_no_descriptor), [`listeners_leave_no_descriptor`](dropping::listeners_leave_no_descriptor) |
//! | 18 | TCP_NODELAY; frames leave whole | [`header_and_payload_leave_in_one_write`](framing::header_and_payload_leave_in_one_write), [`many_pieces_leave_in_one_write`](framing::many_pieces_leave_in_one_write), [`nodelay_is_on_unless_turned_off`](framing::nodelay_is_on_unless_turned_off), [`keepalive_is_set_where_asked_for`](framing::keepalive_is_set_where_asked_for) |
//! | 19 | nothing panics the loop | [`every_callback_may_do_everything`](soundness::every_callback_may_do_everything), [`random_operations_keep_the_contract`](soundness::random_operations_keep_the_contract), [`nothing_a_peer_sends_stops_the_loop`](soundness::nothing_a_peer_sends_stops_the_loop) |
//! | | hand-over between loops | [`a_connection_may_be_handed_to_another_loop`](handover::a_connection_may_be_handed_to_another_loop), [`a_detached_connection_that_is_kept_is_closed_with_its_reason`](handover::a_detached_connection_that_is_kept_is_closed_with_its_reason), [`detach_is_refused_outside_open`](handover::detach_is_refused_outside_open), [`adopting_what_is_no_connection_is_refused`](handover::adopting_what_is_no_connection_is_refused), [`an_adopted_connection_may_have_its_own_limits`](handover::an_adopted_connection_may_have_its_own_limits), [`an_adopted_blocking_socket_does_not_block`](handover::an_adopted_blocking_socket_does_not_block) |
//! | | several loops | [`connections_go_to_the_loop_with_the_fewest`](sharding::connections_go_to_the_loop_with_the_fewest), [`a_listeners_limits_hold_on_every_loop`](sharding::a_listeners_limits_hold_on_every_loop), [`a_loops_own_adoptions_are_counted`](sharding::a_loops_own_adoptions_are_counted), [`a_loop_that_is_gone_is_given_no_connections`](sharding::a_loop_that_is_gone_is_given_no_connections), [`a_seat_may_be_taken_again`](sharding::a_seat_may_be_taken_again), [`what_is_shut_down_before_it_opens_does_not_count`](sharding::what_is_shut_down_before_it_opens_does_not_count), [`what_is_on_its_way_to_a_loop_that_goes_is_closed`](sharding::what_is_on_its_way_to_a_loop_that_goes_is_closed), [`the_first_loop_that_fails_stops_the_others`](sharding::the_first_loop_that_fails_stops_the_others), [`a_loop_that_is_stopped_leaves_the_others_running`](sharding::a_loop_that_is_stopped_leaves_the_others_running), [`dropped_shards_are_stopped`](sharding::dropped_shards_are_stopped), [`shards_that_cannot_start_say_why`](sharding::shards_that_cannot_start_say_why) |
//! | | stopping | [`stop_closes_what_is_left_after_its_limit`](stopping::stop_closes_what_is_left_after_its_limit), [`stop_flushes_connections_and_closes_listeners`](stopping::stop_flushes_connections_and_closes_listeners), [`limits_may_be_endless`](stopping::limits_may_be_endless), [`a_handler_may_stop_in_its_own_way`](stopping::a_handler_may_stop_in_its_own_way), [`unlisten_leaves_accepted_connections_alone`](stopping::unlisten_leaves_accepted_connections_alone) |
//! | | `Mux` | [`each_side_of_a_mux_gets_its_own`](routing::each_side_of_a_mux_gets_its_own), [`a_post_across_a_mux_goes_to_the_owner`](routing::a_post_across_a_mux_goes_to_the_owner), [`a_mux_of_muxes_routes_four_ways`](routing::a_mux_of_muxes_routes_four_ways), [`an_adopted_socket_belongs_to_the_side_that_adopted_it`](routing::an_adopted_socket_belongs_to_the_side_that_adopted_it) |
//! | | a layer that encrypts | [`a_layer_decrypts_unread_bytes_in_place`](layer::a_layer_decrypts_unread_bytes_in_place), [`a_broadcast_goes_through_each_receivers_layer`](layer::a_broadcast_goes_through_each_receivers_layer), [`a_remotes_post_goes_through_the_layer`](layer::a_remotes_post_goes_through_the_layer), [`a_post_from_another_thread_goes_through_the_layer`](layer::a_post_from_another_thread_goes_through_the_layer) |
//! | | socket files | [`a_stale_socket_file_is_removed_and_our_own_too`](unix::a_stale_socket_file_is_removed_and_our_own_too), [`dropping_the_driver_removes_its_socket_files`](unix::dropping_the_driver_removes_its_socket_files), [`what_is_not_stale_is_left_alone`](unix::what_is_not_stale_is_left_alone), [`a_file_in_the_place_of_ours_is_left_alone`](unix::a_file_in_the_place_of_ours_is_left_alone) |
//! | | `info`, addresses, limits of a listener | [`info_tells_what_is_known_of_a_connection`](facts::info_tells_what_is_known_of_a_connection), [`listening_fails_with_the_kernels_error`](facts::listening_fails_with_the_kernels_error), [`a_listener_may_have_its_own_limits`](facts::a_listener_may_have_its_own_limits), [`the_kernels_choice_of_port_is_told`](facts::the_kernels_choice_of_port_is_told) |

// A script that finds a promise broken panics; that is what it is for.
#![allow(clippy::missing_panics_doc)]

#[macro_use]
mod list;

pub mod accepting;
pub mod bytes;
pub mod cost;
pub mod dialling;
pub mod disconnecting;
pub mod dropping;
pub mod embedding;
pub mod facts;
pub mod fairness;
#[cfg(feature = "uring-faults")]
pub mod faults;
pub mod framing;
mod group;
pub mod half_close;
pub mod handover;
pub mod ids;
pub mod layer;
pub mod marks;
pub mod model;
pub mod order;
pub mod pausing;
mod recorder;
pub mod remote;
mod rig;
pub mod routing;
pub mod sending;
pub mod sharding;
pub mod soundness;
mod stage;
pub mod stopping;
pub mod timing;
pub mod traces;
pub mod unix;
pub mod unread;
pub mod wanting;

pub use recorder::{Event, Life, Ops, Recorder};
#[cfg(feature = "sim")]
pub use rig::Simulated;
pub use rig::{
    Family, Host, Kind, Machine, Net, Peer, Plain, PlainHost, Real, Rig, Tcp, Tcp6, Unix, has_ipv6, in_child,
    named, open_descriptors, raise_descriptor_limit, script,
};
pub use stage::{LIMIT, Stage, pattern, stuff, take};
