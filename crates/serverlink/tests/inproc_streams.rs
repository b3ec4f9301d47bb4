//! Streams within the process: who sleeps at their end is woken, and who waits for room is too.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serverlink::{Context, Error, Message, Options, Socket, SocketType};

/// A thread that is not woken for so long never is.
const LIMIT: Duration = Duration::from_secs(10);

/// The last message of each burst has to come, although nothing follows it.
#[test]
fn subscribers_that_sleep_get_the_last_of_a_burst() {
    who_sleeps_gets_the_last_of_a_burst(SocketType::Pub, SocketType::Sub);
}

#[test]
fn dishes_that_sleep_get_the_last_of_a_burst() {
    who_sleeps_gets_the_last_of_a_burst(SocketType::Radio, SocketType::Dish);
}

fn who_sleeps_gets_the_last_of_a_burst(sends: SocketType, receives: SocketType) {
    const SUBSCRIBERS: usize = 20;
    const BURSTS: u64 = 300;
    let context = Context::new().unwrap();
    let publisher = context.socket(sends).unwrap();
    publisher.bind("inproc://news").unwrap();
    let (tell, told) = mpsc::channel();
    let readers: Vec<_> = (0..SUBSCRIBERS)
        .map(|_| {
            let subscriber = context.socket(receives).unwrap();
            subscriber.connect("inproc://news").unwrap();
            listen(&subscriber);
            let tell = tell.clone();
            thread::spawn(move || read_bursts(&subscriber, BURSTS, &tell))
        })
        .collect();
    publisher.wait_for_subscribers(SUBSCRIBERS, LIMIT).unwrap();
    for burst in 0..BURSTS {
        // From one lone message to more than wake their readers by themselves.
        let len = 1 + burst * burst % 700;
        (0..len).rev().for_each(|left| publish(&publisher, left));
        for _ in 0..SUBSCRIBERS {
            told.recv_timeout(LIMIT)
                .unwrap_or_else(|_| panic!("burst {burst} of {len} messages ends nowhere"));
        }
    }
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}

/// To everybody who [listens](listen).
fn publish(publisher: &Socket, number: u64) {
    let number = number.to_string();
    match publisher.socket_type() {
        SocketType::Radio => publisher.send(Message::from_parts(["g", &number])).unwrap(),
        _ => publisher.send(number).unwrap(),
    }
}

fn listen(subscriber: &Socket) {
    match subscriber.socket_type() {
        SocketType::Dish => assert!(subscriber.join("g").unwrap()),
        _ => subscriber.subscribe("").unwrap(),
    }
}

fn read_bursts(subscriber: &Socket, bursts: u64, tell: &mpsc::Sender<()>) {
    for _ in 0..bursts {
        while subscriber.recv().unwrap().iter().next_back().unwrap() != "0" {}
        tell.send(()).unwrap();
    }
}

/// A publisher that has to wait for room does not wait for those whom it has not woken.
#[test]
fn a_publisher_that_drops_nothing_wakes_whom_it_waits_for() {
    const MESSAGES: u32 = 20_000;
    let context = Context::new().unwrap();
    let options = Options { xpub_no_drop: true, send_hwm: 3, ..Options::default() };
    let publisher = context.socket_with(SocketType::Xpub, options).unwrap();
    publisher.bind("inproc://all").unwrap();
    let readers: Vec<_> = (0..5)
        .map(|_| {
            let subscriber = small(&context, SocketType::Sub);
            subscriber.subscribe("").unwrap();
            subscriber.connect("inproc://all").unwrap();
            thread::spawn(move || {
                (0..MESSAGES).for_each(|number| {
                    assert_eq!(subscriber.recv().unwrap(), number.to_string().into());
                })
            })
        })
        .collect();
    publisher.wait_for_subscribers(5, LIMIT).unwrap();
    let (tell, told) = mpsc::channel();
    let sender = thread::spawn(move || {
        (0..MESSAGES).for_each(|number| publisher.send(number.to_string()).unwrap());
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        tell.send(()).unwrap();
    });
    told.recv_timeout(3 * LIMIT).expect("the publisher waits for somebody who sleeps");
    sender.join().unwrap();
}

fn small(context: &Context, kind: SocketType) -> Socket {
    context.socket_with(kind, Options { recv_hwm: 3, ..Options::default() }).unwrap()
}

/// What was taken through a lane is known to the sender in time: it goes on when there is room for 256, which is told after every 256th message.
#[test]
fn a_sender_that_waits_goes_on_when_there_is_room_for_256() {
    const ENOUGH: u32 = 256 + 255;
    let context = Context::new().unwrap();
    let pull = context.pull().open().unwrap();
    pull.bind("inproc://p").unwrap();
    let push = context.push().open().unwrap();
    push.connect("inproc://p").unwrap();
    for round in 0..20 {
        let mut sent = 0_u32;
        while push.try_send(sent.to_string()).is_ok() {
            sent += 1;
        }
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| tell.send(push.send("behind them")));
            (0..ENOUGH).for_each(|number| assert_eq!(pull.recv().unwrap(), number.to_string().into()));
            let sent = told.recv_timeout(LIMIT).unwrap_or_else(|_| {
                // Or the test would wait for the sender.
                (0..ENOUGH).for_each(|_| drop(pull.recv()));
                panic!("round {round}: the sender still waits")
            });
            sent.unwrap();
        });
        (ENOUGH..sent).for_each(|number| assert_eq!(pull.recv().unwrap(), number.to_string().into()));
        assert_eq!(pull.recv().unwrap(), "behind them".into());
        assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)));
    }
}

/// A receiver sleeps again and again at the end of a stream that stops at any place.
#[test]
fn a_receiver_that_sleeps_gets_every_message() {
    const MESSAGES: u32 = 200_000;
    let context = Context::new().unwrap();
    let pull = context.pull().open().unwrap();
    pull.bind("inproc://s").unwrap();
    let push = context.push().open().unwrap();
    push.connect("inproc://s").unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for number in 0..MESSAGES {
            assert_eq!(pull.recv().unwrap(), number.to_string().into());
            if number % 101 == 100 {
                tell.send(number).unwrap();
            }
        }
    });
    for number in 0..MESSAGES {
        push.send(number.to_string()).unwrap();
        if number % 101 == 100 {
            let taken = told.recv_timeout(LIMIT);
            assert_eq!(taken, Ok(number), "nobody woke the receiver");
        }
    }
}
