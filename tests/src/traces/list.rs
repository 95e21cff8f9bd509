//! Which scenarios there are, and the macro that makes tests of them.

/// A test of each scenario, for TCP in the module `tcp` and for Unix sockets in the module `unix`, that plays it on each
/// of these backends and fails where their traces differ. Each is given as a rig of this crate with a backend, and may stand
/// behind a condition. Those of `simulated` are left out where a scenario needs real descriptors.
///
/// ```
/// // tests/equal_traces.rs in your crate, with `YourBackend` beside one that has been compared with the others.
/// sockman_tests::equal_traces! {
///     real {
///         Real<sockman_backends::DefaultBackend>,
///         #[cfg(target_os = "linux")] Real<sockman_backends::DefaultBackend>,
///     }
///     simulated {}
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! equal_traces {
    (
        real { $($(#[$when:meta])* $rig:ident<$backend:ty>),* $(,)? }
        simulated { $($(#[$and:meta])* $sim:ident<$simulated:ty>),* $(,)? }
    ) => {
        mod tcp {
            $crate::tests_of_traces! { $crate::Tcp, {
                $($(#[$when])* $rig<$backend>,)* $($(#[$and])* $sim<$simulated>,)*
            } }
            $crate::machine_tests_of_traces! { $crate::Tcp, { $($(#[$when])* $rig<$backend>,)* } }
        }
        mod unix {
            $crate::tests_of_traces! { $crate::Unix, {
                $($(#[$when])* $rig<$backend>,)* $($(#[$and])* $sim<$simulated>,)*
            } }
            $crate::machine_tests_of_traces! { $crate::Unix, { $($(#[$when])* $rig<$backend>,)* } }
        }
    };
}

/// The list.
#[doc(hidden)]
#[macro_export]
macro_rules! tests_of_traces {
    ($net:ty, $backends:tt) => {
        $crate::test_each_trace! { $net, $backends,
            talking:
                an_echo,
                an_echo_for_three,
                a_peer_half_closes_and_waits,
                we_half_close_and_listen,
                words_and_the_end_together,
                a_callback_sends_and_disconnects;
            holding:
                a_pause_with_data_and_the_end_waiting,
                a_handler_pauses_after_each_piece,
                a_reset_while_paused,
                disconnected_while_paused,
                unread_bytes_come_back,
                wanting_more,
                byte_by_byte,
                drained_after_high,
                limits_are_exceeded;
            ending:
                reset_by_the_peer,
                disconnected_in_each_way,
                flushing_much,
                flushed_to_a_peer_that_stays,
                a_write_error,
                a_write_error_after_the_end,
                a_reset_after_the_end,
                refused_in_open,
                disconnecting_inside_callbacks,
                closed_reaches_others;
            dialling:
                refused_and_unreachable,
                a_dial_and_a_talk,
                unanswered_and_cancelled,
                a_full_backlog;
            loops:
                posts_across_connections,
                commands_of_a_remote,
                timers_and_deadlines,
                listeners_come_and_go,
                stopping_gracefully,
                stopping_at_the_limit,
                shut_down_inside_a_callback,
                two_protocols_on_one_loop;
            walks:
                a_walk,
                another_walk,
                a_third_walk;
        }
    };
}

/// The list of those that need real descriptors.
#[doc(hidden)]
#[macro_export]
macro_rules! machine_tests_of_traces {
    ($net:ty, $backends:tt) => {
        $crate::test_each_trace! { $net, $backends,
            loops:
                handed_from_loop_to_loop,
                given_away_and_kept;
        }
    };
}

/// A test for each name.
#[doc(hidden)]
#[macro_export]
macro_rules! test_each_trace {
    ($net:ty, $backends:tt, $($chapter:ident: $($name:ident),*;)*) => {
        $($(
            #[test]
            fn $name() {
                $crate::traces_on! { $net, $chapter, $name, $backends }
            }
        )*)*
    };
}

/// Plays one scenario on each backend, and compares.
#[doc(hidden)]
#[macro_export]
macro_rules! traces_on {
    ($net:ty, $chapter:ident, $name:ident, { $($(#[$when:meta])* $rig:ident<$backend:ty>,)* }) => {
        let mut traces = Vec::new();
        $(
            $(#[$when])*
            traces.push($crate::traces::played::<$crate::$rig<$backend, $net>>(
                $crate::traces::$chapter::$name::<$crate::$rig<$backend, $net>>,
            ));
        )*
        $crate::traces::assert_equal(&traces);
    };
}
