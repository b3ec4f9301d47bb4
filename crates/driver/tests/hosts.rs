//! Several hosts in one world: cut off, suspended, short of descriptors, killed, without power. Under the laws of epoll and of completion ports.

#[path = "support/bench.rs"]
mod bench;

use std::io::ErrorKind;
use std::time::Duration;

use bench::bytes;
use serverlink_driver::sim::{Faults, Host, World};
use serverlink_driver::{
    Address, Batch, Driver, Event, Events, Interest, ListenOptions, Listener, Read, Remote, Stream,
    StreamOptions, Written,
};

/// A client on one host, a listener on another.
struct Two {
    world: World,
    here: Host,
    there: Host,
    client: Driver,
    server: Driver,
    listener: Listener,
}

const MINUTE: Duration = Duration::from_secs(60);

fn under_both_laws(test: impl Fn(Two)) {
    for completions in [false, true] {
        test(Two::new(Faults { completions, buffer_bytes: 100, ..Faults::NONE }));
    }
}

fn address() -> Address {
    Address::Tcp("10.0.0.1:5555".parse().expect("an address"))
}

fn listen(remote: &Remote) -> Listener {
    let listener = remote.bind(&address(), &ListenOptions::default()).expect("a free address");
    remote.listen(listener).expect("a first registration")
}

fn events_of(driver: &mut Driver) -> Vec<Event> {
    let mut events = Events::new();
    driver.wait(&mut events, None).expect("it cannot fail");
    events.collect()
}

/// Everything that there is to read, and how it ended.
fn read_all(stream: &Stream) -> (usize, std::io::Result<Read>) {
    let (mut count, mut buffer) = (0, [0; 30]);
    loop {
        match stream.read(&mut buffer) {
            Ok(Read::Bytes(more)) => count += more,
            outcome => {
                stream.rearm(Interest::Readable);
                return (count, outcome);
            }
        }
    }
}

impl Two {
    fn new(faults: Faults) -> Two {
        let world = World::with_faults(1, faults);
        let (here, there) = (world.host(), world.host());
        let (client, server) = (world.driver_on(here), world.driver_on(there));
        let listener = listen(&server.remote());
        Two { world, here, there, client, server, listener }
    }

    fn run_for(&mut self, time: Duration) -> (Vec<Event>, Vec<Event>) {
        self.world.advance_to(self.world.now() + time);
        (events_of(&mut self.client), events_of(&mut self.server))
    }

    fn dial(&self) -> Stream {
        self.client.remote().connect(&address(), &StreamOptions::default()).expect("an attempt")
    }

    fn accept(&self) -> Option<Stream> {
        let accepted = self.listener.accept().expect("descriptors enough");
        self.listener.rearm();
        accepted.map(|(stream, _)| self.server.remote().adopt(stream).expect("a first registration"))
    }

    fn pair(&mut self) -> (Stream, Stream) {
        let client = self.dial();
        self.run_for(MINUTE);
        (client, self.accept().expect("it came"))
    }
}

fn outcome(events: &[Event]) -> Option<bool> {
    events.iter().find_map(|event| match event {
        Event::Connected(_, outcome) => Some(outcome.is_ok()),
        _ => None,
    })
}

#[test]
fn a_cut_is_silent_and_heals() {
    under_both_laws(|mut two| {
        let (client, server) = two.pair();
        two.world.cut(two.here, two.there);
        two.world.cut(two.there, two.here);
        assert!(matches!(client.write(Batch::from(bytes(10))), Written::Done(_)));
        let _attempt = two.dial();
        let (at_client, _) = two.run_for(60 * MINUTE);
        assert_eq!(outcome(&at_client), None, "neither refused nor connected");
        assert!(matches!(read_all(&server), (0, Ok(Read::WouldBlock))));
        two.world.heal(two.here, two.there);
        let (at_client, _) = two.run_for(MINUTE);
        assert_eq!(outcome(&at_client), Some(true));
        assert_eq!(read_all(&server).0, 10);
    });
}

#[test]
fn nobody_refuses_through_a_cut() {
    under_both_laws(|mut two| {
        let elsewhere = Address::Tcp("10.0.0.1:1".parse().expect("an address"));
        let remote = two.server.remote();
        let other = remote.bind(&elsewhere, &ListenOptions::default()).expect("a free address");
        drop(std::mem::replace(&mut two.listener, remote.listen(other).expect("a first registration")));
        two.world.cut(two.there, two.here);
        let _attempt = two.dial();
        assert_eq!(outcome(&two.run_for(MINUTE).0), None);
        two.world.heal_all();
        assert_eq!(outcome(&two.run_for(MINUTE).0), Some(false));
    });
}

#[test]
fn a_cut_of_one_way_lets_bytes_through_until_the_buffer_is_full_of_what_nobody_acknowledges() {
    under_both_laws(|mut two| {
        let (client, server) = two.pair();
        two.world.cut(two.there, two.here);
        assert!(matches!(client.write(Batch::from(bytes(60))), Written::Done(_)));
        two.run_for(MINUTE);
        assert_eq!(read_all(&server).0, 60);
        let written = client.write(Batch::from(bytes(60)));
        assert!(matches!(written, Written::Blocked(_) | Written::Pending), "{written:?}");
        two.run_for(MINUTE);
        assert_eq!(read_all(&server).0, 40);
        two.world.heal_all();
        let (at_client, _) = two.run_for(MINUTE);
        let told = |event: &Event| matches!(event, Event::Writable(_) | Event::Written(_, _, Ok(())));
        assert!(at_client.iter().any(told), "{at_client:?}");
    });
}

#[test]
fn an_end_and_a_reset_wait_for_the_network_too() {
    under_both_laws(|mut two| {
        for unread in [false, true] {
            let (client, server) = two.pair();
            if unread {
                assert!(matches!(client.write(Batch::from(bytes(10))), Written::Done(_)));
                two.run_for(MINUTE);
            }
            two.world.cut(two.there, two.here);
            server.close();
            two.run_for(MINUTE);
            assert!(matches!(read_all(&client), (0, Ok(Read::WouldBlock))));
            two.world.heal_all();
            two.run_for(MINUTE);
            let end = read_all(&client).1;
            let right = match unread {
                false => matches!(end, Ok(Read::End)),
                true => matches!(&end, Err(error) if error.kind() == ErrorKind::ConnectionReset),
            };
            assert!(right, "{end:?}");
        }
    });
}

#[test]
fn the_kernel_of_a_suspended_process_goes_on() {
    under_both_laws(|mut two| {
        two.world.set_suspended(two.there, true);
        let client = two.dial();
        two.world.advance_to(two.world.now() + MINUTE);
        assert_eq!(outcome(&events_of(&mut two.client)), Some(true), "its kernel took the connection");
        assert!(matches!(client.write(Batch::from(bytes(50))), Written::Done(_)));
        two.world.advance_to(two.world.now() + MINUTE);
        let _ = events_of(&mut two.client);
        assert!(two.world.is_quiet(), "nobody waits for what a suspended process has to take");
        two.world.set_suspended(two.there, false);
        assert!(!two.world.is_quiet());
        assert_eq!(read_all(&two.accept().expect("it waited")).0, 50);
    });
}

#[test]
fn a_host_runs_out_of_descriptors_alone() {
    under_both_laws(|mut two| {
        let count = two.world.descriptor_count_of(two.there);
        two.world.set_descriptor_limit_of(two.there, Some(count));
        let _client = two.dial();
        two.run_for(MINUTE);
        assert_eq!(two.listener.accept().expect_err("it has none left").raw_os_error(), Some(24));
        two.world.set_descriptor_limit_of(two.there, None);
        assert!(two.accept().is_some(), "the connection waited");
    });
}

#[test]
fn a_killed_process_leaves_what_its_kernel_took() {
    under_both_laws(|mut two| {
        let (client, server) = two.pair();
        assert!(matches!(server.write(Batch::from(bytes(50))), Written::Done(_)));
        two.world.kill(two.there);
        assert_eq!((two.world.descriptor_count_of(two.there), two.world.bound_count()), (0, 0));
        two.run_for(MINUTE);
        assert!(matches!(read_all(&client), (50, Ok(Read::End))));

        // What the process still has does nothing.
        assert!(matches!(server.write(Batch::from(bytes(1))), Written::Failed(..)));
        assert!(two.listener.accept().expect("nothing came").is_none());
        two.listener.rearm();
        let remote = two.server.remote();
        remote.bind(&address(), &ListenOptions::default()).expect_err("its process is dead");
        remote.connect(&address(), &StreamOptions::default()).expect_err("its process is dead");

        // The next one in its place has the address, and is not disturbed by what the old one drops.
        let next = two.world.driver_on(two.there);
        let listener = listen(&next.remote());
        drop((
            server,
            std::mem::replace(&mut two.listener, listener),
            std::mem::replace(&mut two.server, next),
        ));
        let (again, _server) = two.pair();
        assert_eq!(two.world.bound_count(), 1);
        drop((client, again));
    });
}

#[test]
fn who_loses_power_tells_nobody_but_who_asks() {
    under_both_laws(|mut two| {
        let (silent, server) = two.pair();
        let (talks, _other) = two.pair();
        assert!(matches!(server.write(Batch::from(bytes(50))), Written::Done(_)));
        two.world.lose_power(two.there);
        two.run_for(60 * MINUTE);
        assert!(
            matches!(read_all(&silent), (0, Ok(Read::WouldBlock))),
            "what was on its way is gone, and nobody says so"
        );
        assert!(matches!(talks.write(Batch::from(bytes(1))), Written::Done(_)));
        two.run_for(MINUTE);
        assert_eq!(read_all(&talks).1.expect_err("no such connection").kind(), ErrorKind::ConnectionReset);
        assert!(matches!(read_all(&silent), (0, Ok(Read::WouldBlock))));
        assert!(silent.shutdown_write());
        two.run_for(MINUTE);
        assert_eq!(read_all(&silent).1.expect_err("no such connection").kind(), ErrorKind::ConnectionReset);
        drop((silent, talks));
        two.run_for(MINUTE);
        assert_eq!((two.world.connection_count(), two.world.operation_count()), (0, 0));
    });
}

#[test]
fn a_stalled_delivery_holds_up_what_is_behind_it() {
    let stall = Faults { stall: 1.0, longest_stall: Duration::from_secs(2), ..Faults::NONE };
    let mut two = Two::new(Faults { buffer_bytes: 100, ..Faults::NONE });
    let (client, server) = two.pair();
    two.world.set_faults(stall);
    let mut waited = Vec::new();
    for _ in 0..20 {
        let sent_at = two.world.now();
        assert!(matches!(client.write(Batch::from(bytes(1))), Written::Done(_)));
        assert!(matches!(client.write(Batch::from(bytes(2))), Written::Done(_)));
        let due = two.world.next_due().expect("it is on its way");
        waited.push(due - sent_at);
        two.world.advance_to(due);
        assert_eq!(read_all(&server).0, 3, "both, in their order");
    }
    assert!(
        waited.iter().any(|time| *time > Duration::from_secs(1))
            && waited.iter().all(|time| *time <= stall_limit())
    );
}

fn stall_limit() -> Duration {
    Duration::from_secs(2) + Faults::NONE.max_latency
}
