//! The name goes from a peer over one transport to a peer over another, and on.

use serverlink::{Context, Socket};

use crate::place::{Place, Transport, eventually};
use crate::{connected_twin, recv, router, send};

/// Every order of two transports occurs, also the same one twice.
#[test]
fn a_name_goes_round_over_all_transports() {
    let context = Context::builder().io_threads(2).build().expect("a context");
    let (tcp, ipc) = (Place::new(Transport::Tcp), Place::new(Transport::Ipc));
    let (router, over_tcp) = router(&context, &tcp, |_| {});
    let over_ipc = router.bind(&ipc.endpoint()).expect("a free endpoint").to_string();
    let over_inproc = router.bind("inproc://names").expect("a free name").to_string();
    let way = [
        &over_tcp,
        &over_ipc,
        &over_inproc,
        &over_inproc,
        &over_tcp,
        &over_tcp,
        &over_inproc,
        &over_ipc,
        &over_ipc,
    ];
    let mut owners: Vec<Socket> = Vec::new();
    for (turn, endpoint) in way.into_iter().cycle().take(5 * 9).enumerate() {
        if let Some(older) = owners.last() {
            send(older, &["late, from", &(turn - 1).to_string()]);
        }
        let owner = connected_twin(&context, endpoint);
        for number in 0..5 {
            send(&owner, &[&turn.to_string(), &number.to_string()]);
        }
        take_all_of(&router, turn);
        send(&router, &["twin", &turn.to_string()]);
        assert_eq!(recv(&owner), [turn.to_string()]);
        owners.push(owner);
    }
    eventually("one peer is left", || router.stats().peers == 1);
    owners.pop();
    assert!(owners.iter().all(|owner| owner.try_recv().is_err()), "no message reached an older owner");
}

/// Perhaps the last words of the owner before, then all of this one, and nothing between.
fn take_all_of(router: &Socket, turn: usize) {
    let mut next = 0;
    while next < 5 {
        let message = recv(router);
        match message[1].as_str() {
            "late, from" => assert_eq!((message[2].as_str(), next), ((turn - 1).to_string().as_str(), 0)),
            from => {
                assert_eq!(
                    (from, message[2].as_str()),
                    (turn.to_string().as_str(), next.to_string().as_str())
                );
                next += 1;
            }
        }
    }
}
