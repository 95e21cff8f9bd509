//! Which scripts there are, and for which rigs: the macros that make them tests.

/// Makes a named test of each script that any rig can run, in either family: real sockets or simulated ones.
#[macro_export]
macro_rules! scripts {
    ($rig:ty) => {
        $crate::tests_of! { $rig,
            order:
                a_life_is_open_received_eof_closed,
                only_closed_follows_disconnect,
                a_handler_may_disconnect_itself_inside_received,
                a_handler_may_disconnect_itself_inside_open,
                a_connection_refused_in_open_is_closed_silently,
                closings_are_reported_after_the_callback,
                a_turn_that_delivered_does_not_sleep;
            ids:
                operations_on_a_dead_id_do_nothing,
                dead_listeners_and_timers_do_nothing,
                ids_are_never_reused,
                stale_events_do_not_reach_the_next_owner,
                stale_events_do_not_reach_a_connection_dialled_from_closed,
                a_dead_connections_deadline_is_not_its_heirs;
            bytes:
                bytes_arrive_in_order,
                an_echo_returns_every_byte,
                data_and_hang_up_in_one_event,
                data_and_hang_up_after_our_half_close,
                a_long_tail_and_hang_up_in_one_event,
                a_read_that_fills_the_buffer_exactly_loses_nothing;
            half_close:
                eof_comes_once,
                a_half_closed_client_gets_its_answer,
                an_answer_may_come_long_after_eof,
                finish_sends_what_is_queued_and_leaves_reading_open;
            sending:
                what_a_callback_sends_leaves_in_the_same_turn,
                with_flushes_on_return,
                a_broadcast_leaves_in_the_same_turn,
                order_is_kept_across_all_ways_of_sending,
                a_peer_that_never_reads_hits_the_mark_and_then_the_limit,
                one_large_response_is_not_an_offence,
                a_write_error_stops_writing_and_reading_goes_on,
                a_disconnected_side_takes_no_bytes,
                what_one_callback_queues_is_counted,
                sends_to_several_connections_by_turns_keep_their_order;
            disconnecting:
                flush_delivers_everything_queued,
                flush_survives_unread_input,
                flush_gives_up_at_its_limit,
                a_peer_that_never_closes_does_not_hold_a_flush,
                now_cuts_a_flush_short,
                now_closes_at_once,
                reset_sends_rst,
                reasons_are_told_apart,
                what_now_lets_through_is_a_prefix,
                a_flush_ends_when_its_peer_goes;
            pausing:
                a_paused_connection_delivers_nothing_until_resumed,
                a_pause_inside_received_holds_at_once,
                a_paused_connection_hears_of_no_end,
                a_write_error_waits_for_the_end_of_the_pause,
                deadline_and_drained_run_while_paused,
                parked_bytes_are_no_offence,
                resume_offers_unread_bytes_without_sleeping,
                a_resume_inside_received_offers_the_rest_again;
            marks:
                drained_comes_once_per_high,
                drained_does_not_come_without_high,
                a_producer_led_by_drained_delivers_everything,
                a_peer_that_resets_does_not_hold_who_waits_for_drained;
            unread:
                a_peer_above_the_unread_bound_is_closed,
                slow_consumption_is_no_offence,
                unconsumed_bytes_come_back_in_front,
                bytes_changed_in_place_stay_changed,
                want_holds_delivery_back_once,
                want_gives_way_to_the_end,
                want_above_the_bound_is_an_error,
                consuming_more_than_all_is_all;
            wanting:
                wanted_messages_of_all_sizes_come_whole,
                a_wanted_message_may_drip_and_be_paused,
                a_pause_at_the_end_of_a_wanted_message_holds,
                the_end_inside_a_wanted_message_gives_what_there_is,
                closing_inside_a_wanted_message_concerns_nobody_else,
                a_wanted_flood_does_not_starve_the_pings;
            remote:
                wakes_are_coalesced,
                a_wake_during_a_turn_is_not_lost,
                commands_are_carried_out_in_order,
                a_remote_pauses_and_resumes,
                posts_beyond_the_queue_are_refused,
                a_remote_of_a_dropped_loop_says_so;
            timing:
                timers_fire_in_order_and_never_early,
                cancelled_timers_do_not_fire,
                a_timer_may_set_the_next,
                a_deadline_fires_once_and_disconnects,
                a_deadline_rewritten_often_fires_at_the_last_time,
                a_deadline_pushed_back_in_time_never_fires,
                timers_and_deadlines_fire_on_a_busy_loop,
                timers_fire_beside_a_flood,
                next_deadline_is_the_next_timers_time;
            dialling:
                a_dial_opens_once,
                an_instant_dial_still_opens_later,
                a_refused_dial_says_so_and_keeps_the_error,
                an_unreachable_dial_says_so_and_keeps_the_error,
                an_unanswered_dial_times_out,
                an_unanswered_dial_does_not_spin,
                a_dial_to_a_full_backlog_opens_when_there_is_room,
                a_dial_whose_host_goes_away_is_refused,
                a_dial_reset_at_once_has_one_outcome,
                a_dial_may_be_cancelled,
                a_dial_may_be_cancelled_at_once,
                a_dial_with_wrong_options_is_refused_at_once,
                a_failed_dial_may_be_repeated_from_its_callback,
                dials_above_the_bound_fail;
            accepting:
                a_backlog_is_drained_in_a_burst,
                accepting_keeps_to_its_budget,
                connections_above_the_bound_wait_in_the_backlog,
                clients_gone_before_accept_harm_nobody;
            fairness:
                a_flood_does_not_starve_the_pings,
                what_the_budget_leaves_is_not_forgotten,
                what_the_budget_leaves_waits_with_the_peer,
                a_handler_that_posts_for_ever_starves_nobody,
                a_handler_that_resumes_for_ever_starves_nobody;
            cost:
                idle_connections_wake_nobody,
                a_message_costs_the_same_beside_idle_connections,
                a_short_message_is_one_read_and_one_write;
            dropping:
                dropping_a_busy_driver_ends_its_connections_and_frees_its_buffers;
            framing:
                header_and_payload_leave_in_one_write,
                many_pieces_leave_in_one_write;
            soundness:
                every_callback_may_do_everything,
                random_operations_keep_the_contract,
                nothing_a_peer_sends_stops_the_loop;
            stopping:
                stop_closes_what_is_left_after_its_limit,
                stop_flushes_connections_and_closes_listeners,
                limits_may_be_endless,
                a_handler_may_stop_in_its_own_way,
                unlisten_leaves_accepted_connections_alone;
            routing:
                each_side_of_a_mux_gets_its_own,
                a_post_across_a_mux_goes_to_the_owner,
                a_mux_of_muxes_routes_four_ways;
            layer:
                a_layer_decrypts_unread_bytes_in_place,
                a_broadcast_goes_through_each_receivers_layer,
                a_remotes_post_goes_through_the_layer;
            facts:
                info_tells_what_is_known_of_a_connection,
                listening_fails_with_the_kernels_error,
                a_listener_may_have_its_own_limits;
        }
    };
}

/// As [`scripts!`], for those about TCP alone.
#[macro_export]
macro_rules! tcp_scripts {
    ($rig:ty) => {
        $crate::tests_of! { $rig,
            bytes:
                bytes_before_a_reset_are_delivered;
            facts:
                the_kernels_choice_of_port_is_told;
        }
    };
}

/// As [`scripts!`], for those about real descriptors, processes or threads ([`Machine`](crate::Machine)), which a simulation leaves out.
#[macro_export]
macro_rules! machine_scripts {
    ($rig:ty) => {
        $crate::tests_of! { $rig,
            remote:
                wakes_between_turns_cost_one_system_call,
                a_post_wakes_a_sleeping_loop_without_a_tick,
                racing_wakes_are_never_lost,
                racing_posts_arrive_once_and_in_order,
                stop_ends_run_once_everything_is_flushed;
            accepting:
                accepting_survives_running_out_of_descriptors,
                a_closed_connection_ends_the_rest_of_the_listener,
                a_dial_without_descriptors_fails_and_the_next_works;
            embedding:
                a_foreign_poll_loop_gets_the_same_results,
                a_foreign_epoll_loop_gets_the_same_results,
                a_foreign_loop_is_told_of_writability;
            dropping:
                dropping_a_busy_driver_frees_every_descriptor,
                a_handlers_panic_comes_out_of_turn_and_leaks_nothing,
                ten_thousand_connections_leave_no_descriptor,
                listeners_leave_no_descriptor;
            handover:
                a_connection_may_be_handed_to_another_loop,
                a_detached_connection_that_is_kept_is_closed_with_its_reason,
                detach_is_refused_outside_open,
                adopting_what_is_no_connection_is_refused,
                an_adopted_connection_may_have_its_own_limits,
                an_adopted_blocking_socket_does_not_block;
            sharding:
                connections_go_to_the_loop_with_the_fewest,
                a_listeners_limits_hold_on_every_loop,
                a_loops_own_adoptions_are_counted,
                a_loop_that_is_gone_is_given_no_connections,
                a_seat_may_be_taken_again,
                what_is_shut_down_before_it_opens_does_not_count,
                what_is_on_its_way_to_a_loop_that_goes_is_closed,
                the_first_loop_that_fails_stops_the_others,
                a_loop_that_is_stopped_leaves_the_others_running,
                dropped_shards_are_stopped,
                shards_that_cannot_start_say_why;
            routing:
                an_adopted_socket_belongs_to_the_side_that_adopted_it;
            layer:
                a_post_from_another_thread_goes_through_the_layer;
            fairness:
                busy_peers_on_another_thread_are_all_answered;
        }
    };
}

/// As [`machine_scripts!`], for those about TCP alone.
#[macro_export]
macro_rules! machine_tcp_scripts {
    ($rig:ty) => {
        $crate::tests_of! { $rig,
            framing:
                nodelay_is_on_unless_turned_off,
                keepalive_is_set_where_asked_for;
        }
    };
}

/// As [`machine_scripts!`], for those about Unix sockets alone.
#[macro_export]
macro_rules! machine_unix_scripts {
    ($rig:ty) => {
        $crate::tests_of! { $rig,
            unix:
                a_stale_socket_file_is_removed_and_our_own_too,
                dropping_the_driver_removes_its_socket_files,
                what_is_not_stale_is_left_alone,
                a_file_in_the_place_of_ours_is_left_alone;
        }
    };
}

/// A few of the scripts of [`scripts!`], for TCP over IPv6, which differs in its addresses only; where `$here` says that there is none they pass.
#[macro_export]
macro_rules! ipv6_scripts {
    ($rig:ty, $here:expr) => {
        $crate::tests_of! { @when $here, $rig,
            order:
                a_life_is_open_received_eof_closed;
            bytes:
                bytes_arrive_in_order,
                data_and_hang_up_in_one_event;
            disconnecting:
                reset_sends_rst;
            dialling:
                a_dial_opens_once,
                a_refused_dial_says_so_and_keeps_the_error,
                an_unanswered_dial_times_out;
            facts:
                info_tells_what_is_known_of_a_connection,
                the_kernels_choice_of_port_is_told;
        }
    };
}

/// A test for each name: runs the function of that name in that chapter on the rig.
#[doc(hidden)]
#[macro_export]
macro_rules! tests_of {
    (@when $here:expr, $rig:ty, $($chapter:ident: $($name:ident),*;)*) => {
        $($(
            #[test]
            fn $name() {
                if $here {
                    $crate::named(concat!(module_path!(), "::", stringify!($name)), $crate::$chapter::$name::<$rig>);
                }
            }
        )*)*
    };
    ($rig:ty, $($chapters:tt)*) => {
        $crate::tests_of! { @when true, $rig, $($chapters)* }
    };
}

/// The whole suite on one backend of real sockets, as a module of modules: `conformance!(mine, MyBackend)` makes tests
/// such as `mine::tcp::bytes_arrive_in_order` and `mine::unix::eof_comes_once`.
#[macro_export]
macro_rules! conformance {
    ($name:ident, $backend:ty) => {
        mod $name {
            mod tcp {
                use super::super::*;
                type Rig = $crate::Real<$backend, $crate::Tcp>;
                $crate::scripts!(Rig);
                $crate::tcp_scripts!(Rig);
                $crate::machine_scripts!(Rig);
                $crate::machine_tcp_scripts!(Rig);
            }
            mod tcp6 {
                use super::super::*;
                type Rig = $crate::Real<$backend, $crate::Tcp6>;
                $crate::ipv6_scripts!(Rig, $crate::has_ipv6());
            }
            mod unix {
                use super::super::*;
                type Rig = $crate::Real<$backend, $crate::Unix>;
                $crate::scripts!(Rig);
                $crate::machine_scripts!(Rig);
                $crate::machine_unix_scripts!(Rig);
            }
        }
    };
}

/// The suite on a backend whose rig is not of this machine: `simulated_conformance!(mine, MyRig, MyBackend)`, for a rig
/// `MyRig<MyBackend, Kind>`, makes tests such as `mine::tcp::bytes_arrive_in_order`. Left out are
/// [`machine_scripts!`](crate::machine_scripts) and its kin, which need real descriptors, processes or threads; nothing else.
#[macro_export]
macro_rules! simulated_conformance {
    ($name:ident, $($rig:ident)::+, $backend:ty) => {
        mod $name {
            mod tcp {
                use super::super::*;
                type Rig = $($rig)::+<$backend, $crate::Tcp>;
                $crate::scripts!(Rig);
                $crate::tcp_scripts!(Rig);
            }
            mod tcp6 {
                use super::super::*;
                type Rig = $($rig)::+<$backend, $crate::Tcp6>;
                $crate::ipv6_scripts!(Rig, true);
            }
            mod unix {
                use super::super::*;
                type Rig = $($rig)::+<$backend, $crate::Unix>;
                $crate::scripts!(Rig);
            }
        }
    };
}
