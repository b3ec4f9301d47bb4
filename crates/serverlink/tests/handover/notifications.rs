//! What a ROUTER that wants to be told of its peers hears of a handover.

use serverlink::{Context, EventKind, Monitor};

use crate::place::{Place, over_wires, wait_for};
use crate::{connected_twin, recv, router, send};

over_wires! {
    each_owner_is_announced
    the_name_is_not_reported_gone_while_somebody_has_it
}

fn until_the_old_connection_has_ended(monitor: &Monitor) {
    wait_for(monitor, "the end of the old owner's connection", |event| {
        matches!(event, EventKind::Disconnected { .. }).then_some(())
    });
}

fn each_owner_is_announced(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| options.router_notify_connect = true);
    let owners = [0; 3].map(|_| {
        let owner = connected_twin(&context, &endpoint);
        assert_eq!(recv(&router), ["twin", ""]);
        owner
    });
    send(&owners[2], &["hello"]);
    assert_eq!(recv(&router), ["twin", "hello"]);
}

fn the_name_is_not_reported_gone_while_somebody_has_it(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| options.router_notify_disconnect = true);
    let monitor = router.monitor();
    let old = connected_twin(&context, &endpoint);
    let newcomer = connected_twin(&context, &endpoint);
    until_the_old_connection_has_ended(&monitor);
    send(&newcomer, &["hello"]);
    assert_eq!(recv(&router), ["twin", "hello"], "no word of the old owner's end comes in front");
    newcomer.close(crate::place::PATIENCE);
    assert_eq!(recv(&router), ["twin", ""], "its last owner has left");
    drop(old);
    let next = connected_twin(&context, &endpoint);
    send(&next, &["hello"]);
    assert_eq!(recv(&router), ["twin", "hello"]);
}
