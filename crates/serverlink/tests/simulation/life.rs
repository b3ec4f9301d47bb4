//! The whole life of connections: connect, refused, retry, handshake, handover, reset, close, and listeners that restart.

use std::time::Duration;

use serverlink::sim::{Faults, Simulation};

use crate::ending::assert_nothing_is_left;
use crate::fleet::Fleet;
use crate::seeds::for_each_seed;

/// Everything comes and goes while everything goes wrong. Messages stay in order and come at most once, paths heal by themselves, each socket
/// was registered once, and nothing is left.
#[test]
fn connections_come_and_go_and_each_is_registered_once() {
    for_each_seed("connections_come_and_go_and_each_is_registered_once", |seed| {
        let mut fleet = Fleet::new(seed, Faults::chosen_by(seed));
        (0..60).for_each(|_| fleet.stir());
        fleet.heal();
        assert_nothing_is_left(&fleet.close());
    });
}

/// The same, and everybody leaves in the middle of it.
#[test]
fn closing_in_the_middle_of_trouble_leaves_nothing() {
    for_each_seed("closing_in_the_middle_of_trouble_leaves_nothing", |seed| {
        let mut fleet = Fleet::new(seed, Faults::chosen_by(seed));
        (0..seed % 30).for_each(|_| fleet.stir());
        assert_nothing_is_left(&fleet.close());
    });
}

/// Attempts are refused, registrations fail, descriptors run out, everything is late, and no connection breaks that was established: every message
/// and every answer comes exactly once.
#[test]
fn what_fails_before_a_connection_stands_costs_nothing() {
    for_each_seed("what_fails_before_a_connection_stands_costs_nothing", |seed| {
        let faults = Faults { reset: 0.0, refuse: 0.4, refuse_registration: 0.3, ..Faults::chosen_by(seed) };
        let mut fleet = Fleet::new(seed, faults);
        fleet.open_one_of_each();
        for _ in 0..30 {
            fleet.send_some();
            fleet.run_short();
            fleet.let_time_pass();
        }
        fleet.calm_down();
        fleet.expect_everything();
        assert_nothing_is_left(&fleet.close());
    });
}

/// What nobody reads yet must not keep the descriptors of who said it.
#[test]
fn a_closed_socket_whose_last_words_are_unread_has_no_driver() {
    let mut machine = Simulation::new(1, Faults::NONE);
    let context = machine.context();
    let pull = context.pull().open().expect("valid options");
    pull.bind("inproc://here").expect("nobody else has it");
    for number in 0..10 {
        let push = context.push().open().expect("valid options");
        push.bind(&format!("tcp://10.0.0.1:{}", 5000 + number)).expect("nobody else has it");
        push.connect("inproc://here").expect("a good endpoint");
        push.try_send(number.to_string()).expect("room");
    }
    machine.run_for(Duration::from_secs(1));
    assert_eq!(machine.world().driver_count(), 0, "closed sockets that still have their drivers");
    for number in 0..10 {
        assert_eq!(pull.try_recv().expect("it was said"), number.to_string().into());
    }
}
