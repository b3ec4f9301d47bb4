//! What is left of a machine when every socket on it is closed.

use serverlink::sim::{Association, Simulation};

/// Nothing is open, bound, registered or under way any more, and whatever was registered was registered once.
pub(crate) fn assert_nothing_is_left(machine: &Simulation) {
    let world = machine.world();
    assert_eq!(world.descriptor_count(), 0, "handles of closed sockets");
    assert_eq!(world.associated_count(), 0, "sockets that are with a port");
    assert_eq!(world.registration_count(), 0, "sources whose last operation has not come home");
    assert_eq!(world.operation_count(), 0, "operations in flight");
    assert_eq!(world.connection_count(), 0, "connections");
    assert_eq!(world.bound_count(), 0, "addresses in use");
    assert_eq!(world.driver_count(), 0, "drivers of closed sockets");
    assert!(world.is_quiet(), "events that nobody takes");
    assert_each_socket_registered_once(machine);
}

/// The ledger has one association and no refusal for each socket that ever was registered.
pub(crate) fn assert_each_socket_registered_once(machine: &Simulation) {
    let ledger = machine.world().associations();
    let wrong: Vec<&Association> =
        ledger.iter().filter(|entry| (entry.associated, entry.refused) != (1, 0)).collect();
    assert!(wrong.is_empty(), "registered twice, or tried to: {wrong:?}");
    assert_eq!(machine.world().refused_associations(), 0);
}
