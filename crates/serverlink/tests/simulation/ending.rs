//! What is left of a machine when every socket on it is closed.

use serverlink::sim::{Association, Simulation};

/// Nothing is open, bound, registered or under way any more, and whatever was registered was registered once.
pub(crate) fn assert_nothing_is_left(machine: &Simulation) {
    let left = leftovers(machine);
    assert!(left.is_empty(), "{left:?}");
    assert_each_socket_registered_once(machine);
}

/// What is still open, bound, registered or under way, and how much of it.
pub(crate) fn leftovers(machine: &Simulation) -> Vec<(&'static str, usize)> {
    let world = machine.world();
    let counts = [
        ("handles of closed sockets", world.descriptor_count()),
        ("sockets that are with a port", world.associated_count()),
        ("sources whose last operation has not come home", world.registration_count()),
        ("operations in flight", world.operation_count()),
        ("connections", world.connection_count()),
        ("addresses in use", world.bound_count()),
        ("drivers of closed sockets", world.driver_count()),
        ("events that nobody takes", usize::from(!world.is_quiet())),
        ("sockets that were registered twice, or nearly", registered_otherwise_than_once(machine).len()),
    ];
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The ledger has one association and no refusal for each socket that ever was registered.
pub(crate) fn assert_each_socket_registered_once(machine: &Simulation) {
    let wrong = registered_otherwise_than_once(machine);
    assert!(wrong.is_empty(), "registered twice, or tried to: {wrong:?}");
    assert_eq!(machine.world().refused_associations(), 0);
}

fn registered_otherwise_than_once(machine: &Simulation) -> Vec<Association> {
    let once = |entry: &Association| (entry.associated, entry.refused) == (1, 0);
    machine.world().associations().into_iter().filter(|entry| !once(entry)).collect()
}
