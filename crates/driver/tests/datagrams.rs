//! Sockets for datagrams: the same contract as streams, with borders.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use serverlink_driver::datagram::{ADDRESS_BYTES, MAX_READ_BYTES, put_address, split_address};
use serverlink_driver::sim::World;
use serverlink_driver::{
    Batch, Buffer, DatagramOptions, Driver, Event, Events, Interest, Interface, Kind, Read, Remote, Stream,
    Written,
};

/// Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

fn kinds() -> impl Iterator<Item = Kind> {
    [Kind::native(), Kind::Polling].into_iter()
}

fn any_port() -> DatagramOptions {
    DatagramOptions::on(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0))
}

fn open(remote: &Remote, options: &DatagramOptions) -> (Stream, SocketAddr) {
    let (socket, local) = remote.open_datagrams(options).expect("a free port");
    (remote.adopt(socket).expect("a first registration"), local)
}

fn datagram(to: SocketAddr, body: &[u8]) -> Buffer {
    let mut octets = Vec::new();
    put_address(to, &mut octets);
    octets.extend_from_slice(body);
    Buffer::Owned(octets)
}

struct Bench {
    driver: Driver,
    events: Events,
}

impl Bench {
    fn new(kind: Kind) -> (Bench, Remote) {
        let driver = Driver::open(kind).expect("the system has this driver");
        let remote = driver.remote();
        (Bench { driver, events: Events::new() }, remote)
    }

    /// Waits for one that fits; what comes before it is dropped.
    fn expect(&mut self, what: &str, fits: impl Fn(&Event) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.events.by_ref().any(|event| fits(&event)) {
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}");
            self.driver.wait(&mut self.events, Some(left)).expect("a driver that works");
        }
    }

    /// The next datagram: tried first, because an edge may have been used up.
    fn receive(&mut self, socket: &Stream) -> (SocketAddr, Vec<u8>) {
        let mut buffer = vec![0; MAX_READ_BYTES];
        loop {
            match socket.read(&mut buffer).expect("an open socket") {
                Read::Bytes(count) => {
                    let (from, body) = split_address(&buffer[..count]).expect("an address in front");
                    return (from, body.to_vec());
                }
                Read::WouldBlock => {
                    socket.rearm(Interest::Readable);
                    let key = socket.key();
                    self.expect("a datagram", |event| matches!(event, Event::Readable(its) if *its == key));
                }
                Read::End => panic!("datagrams have no end"),
            }
        }
    }
}

fn written(outcome: Written) -> Batch {
    match outcome {
        Written::Done(batch) => batch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_write_and_read_is_one_datagram_with_its_address() {
    for kind in kinds() {
        let (mut bench, remote) = Bench::new(kind);
        let ((here, near), (there, far)) = (open(&remote, &any_port()), open(&remote, &any_port()));
        let large = vec![7; 65_507];
        let batch = vec![datagram(far, b"one"), datagram(far, b""), datagram(far, &large)];
        assert_eq!(written(here.write(Batch::from(batch))).remaining_bytes(), 0);
        assert_eq!(bench.receive(&there), (near, b"one".to_vec()));
        assert_eq!(bench.receive(&there), (near, Vec::new()), "an empty one is one");
        assert_eq!(bench.receive(&there), (near, large));
        // After all was read there is an edge for the next one.
        let _back = written(there.write(Batch::from(vec![datagram(near, b"back")])));
        assert_eq!(bench.receive(&here), (far, b"back".to_vec()));
        assert_eq!(here.peer_address(), None);
        assert!(!here.shutdown_write());
    }
}

/// Whoever brings a datagram, an operation that waited for it or a read that found it: none overtakes another.
#[test]
fn they_come_in_order_however_they_are_taken() {
    for kind in kinds() {
        let (mut bench, remote) = Bench::new(kind);
        let ((here, near), (there, far)) = (open(&remote, &any_port()), open(&remote, &any_port()));
        for round in 0..50_u8 {
            for number in 0..5 {
                let _batch = written(here.write(Batch::from(vec![datagram(far, &[round, number])])));
            }
            for number in 0..5 {
                assert_eq!(bench.receive(&there), (near, vec![round, number]));
                if number == round % 5 {
                    there.rearm(Interest::Readable);
                }
            }
        }
    }
}

#[test]
fn what_a_small_buffer_has_no_room_for_is_lost_alone() {
    for kind in kinds() {
        let (mut bench, remote) = Bench::new(kind);
        let ((here, _), (there, far)) = (open(&remote, &any_port()), open(&remote, &any_port()));
        let batch = vec![datagram(far, &[1; 100]), datagram(far, b"whole")];
        let _batch = written(here.write(Batch::from(batch)));
        let key = there.key();
        bench.expect("datagrams", |event| matches!(event, Event::Readable(its) if *its == key));
        assert_eq!(there.read(&mut []).expect("an open socket"), Read::Bytes(0));
        let mut small = [0; ADDRESS_BYTES + 5];
        let mut last = Vec::new();
        while last != b"whole" {
            match there.read(&mut small).expect("an open socket") {
                Read::Bytes(count) => last = small[ADDRESS_BYTES..count].to_vec(),
                Read::WouldBlock => {
                    there.rearm(Interest::Readable);
                    bench.expect("the next", |event| matches!(event, Event::Readable(its) if *its == key));
                }
                Read::End => panic!("datagrams have no end"),
            }
        }
    }
}

#[test]
fn what_the_system_refuses_is_lost_and_counted() {
    for kind in kinds() {
        let (mut bench, remote) = Bench::new(kind);
        let ((here, near), (there, far)) = (open(&remote, &any_port()), open(&remote, &any_port()));
        let too_long = vec![0; 65_508];
        let batch = vec![
            datagram(far, &too_long),
            Buffer::Owned(b"no address".to_vec()),
            datagram(far, b"behind them"),
        ];
        let writer = here.writer();
        let _batch = written(writer.write(Batch::from(batch)));
        assert_eq!((writer.take_refused(), writer.take_refused()), (2, 0));
        assert_eq!(bench.receive(&there), (near, b"behind them".to_vec()));
        // Nobody is there: it is lost on its way, and neither socket hears of it.
        there.close();
        let _batch = written(here.write(Batch::from(vec![datagram(far, b"to nobody")])));
        let (there, far) = open(&remote, &any_port());
        let _batch = written(there.write(Batch::from(vec![datagram(near, b"still here")])));
        assert_eq!(bench.receive(&here), (far, b"still here".to_vec()));
    }
}

#[test]
fn room_is_told_where_it_was_asked_for() {
    for kind in kinds() {
        let (mut bench, remote) = Bench::new(kind);
        let (here, near) = open(&remote, &any_port());
        let key = here.key();
        if !here.writer().reports_writable() {
            // A write that finds no room is pending there.
            continue;
        }
        for round in 0..3 {
            here.rearm(Interest::Writable);
            bench.expect("room", |event| matches!(event, Event::Writable(its) if *its == key));
            // The registration is still the one: what comes is told.
            let body = [round];
            let _batch = written(here.write(Batch::from(vec![datagram(near, &body)])));
            assert_eq!(bench.receive(&here), (near, body.to_vec()));
        }
        assert_eq!(remote.registration_count(), 1);
    }
}

#[test]
fn closing_frees_the_address_and_its_key_names_nobody() {
    for kind in kinds() {
        let (mut bench, remote) = Bench::new(kind);
        let (here, near) = open(&remote, &any_port());
        let taken = remote.open_datagrams(&DatagramOptions::on(near)).expect_err("it is taken");
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        let (writer, key) = (here.writer(), here.key());
        let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        stranger.send_to(b"unread", near).expect("loopback");
        here.close();
        if remote.reports_closed() {
            bench.expect("its end", |event| matches!(event, Event::Closed(its) if *its == key));
        }
        assert_eq!(remote.registration_count(), 0);
        assert!(matches!(writer.write(Batch::from(vec![datagram(near, b"x")])), Written::Failed(..)));
        drop(writer);
        let (again, near) = open(&remote, &DatagramOptions::on(near));
        assert_ne!(again.key(), key);
        stranger.send_to(b"to the next", near).expect("loopback");
        assert_eq!(bench.receive(&again).1, b"to the next");
        assert!(bench.events.all(|event| event.key() != Some(key)));
    }
}

/// Everybody who joined gets it, through the loopback interface, whose address is named; nothing leaves the machine.
#[test]
fn a_group_reaches_all_its_members() {
    let group = Ipv4Addr::new(239, 255, 83, 76);
    let interface = Some(Interface::Address(Ipv4Addr::LOCALHOST));
    for kind in kinds() {
        let (mut bench, remote) = Bench::new(kind);
        let member_at = |local| DatagramOptions {
            group: Some(group.into()),
            interface: interface.clone(),
            shared: true,
            ..DatagramOptions::on(local)
        };
        let (first, to) = open(&remote, &member_at(SocketAddr::new(group.into(), 0)));
        let members = [first, open(&remote, &member_at(to)).0];
        let (sender, near) = open(
            &remote,
            &DatagramOptions {
                interface: interface.clone(),
                hops: Some(0),
                loops_back: Some(true),
                ..any_port()
            },
        );
        let _batch = written(sender.write(Batch::from(vec![datagram(to, b"to all")])));
        if sender.writer().take_refused() > 0 {
            // A machine whose loopback interface knows no groups.
            return;
        }
        for member in &members {
            assert_eq!(bench.receive(member), (near, b"to all".to_vec()));
        }
    }
}

#[test]
fn a_socket_for_both_families_calls_both_by_their_names() {
    let (mut bench, remote) = Bench::new(Kind::native());
    let both = DatagramOptions::on("[::]:0".parse().expect("an address"));
    let Ok((here, local)) = remote.open_datagrams(&both) else { return };
    let here = remote.adopt(here).expect("a first registration");
    let (there, far) = open(&remote, &any_port());
    let near = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), local.port());
    let _batch = written(here.write(Batch::from(vec![datagram(far, b"there")])));
    if here.writer().take_refused() > 0 {
        // The system keeps the families apart.
        return;
    }
    assert_eq!(bench.receive(&there), (near, b"there".to_vec()));
    let _batch = written(there.write(Batch::from(vec![datagram(near, b"and back")])));
    assert_eq!(bench.receive(&here), (far, b"and back".to_vec()));
}

#[test]
fn an_interface_of_the_other_family_is_told() {
    let (_bench, remote) = Bench::new(Kind::native());
    let options = DatagramOptions { interface: Some(Interface::Name("lo".into())), ..any_port() };
    let error = remote.open_datagrams(&options).expect_err("IPv4 needs an address");
    assert!(error.to_string().contains("IPv4"), "{error}");
}

/// Somebody who has it alone shares it with nobody, not even with those who would share.
#[test]
fn who_does_not_share_has_the_port_alone() {
    let (_bench, remote) = Bench::new(Kind::native());
    let (_alone, local) = open(&remote, &any_port());
    let sharing = DatagramOptions { shared: true, ..DatagramOptions::on(local) };
    let taken = remote.open_datagrams(&sharing).expect_err("it is taken");
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
}

#[cfg(windows)]
#[test]
fn what_windows_lacks_is_refused_by_its_name() {
    let (_bench, remote) = Bench::new(Kind::native());
    for (name, options) in [
        ("type_of_service", DatagramOptions { type_of_service: Some(1), ..any_port() }),
        ("device", DatagramOptions { device: Some("eth0".into()), ..any_port() }),
    ] {
        let refused = remote.open_datagrams(&options).expect_err("there is no such option");
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert!(refused.to_string().contains(name), "{refused}");
    }
}

#[test]
fn the_simulated_machine_has_none() {
    let driver = World::new(1).driver();
    let error = driver.remote().open_datagrams(&any_port()).expect_err("there are none");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
