//! Streams of messages through a harsh network.

use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Error, Linger, Message};

use crate::ending::assert_nothing_is_left;
use crate::seeds::for_each_seed;

const PATIENCE: Duration = Duration::from_secs(120);
const ENDPOINT: &str = "tcp://10.0.0.1:5555";

fn number(message: &Message) -> u64 {
    let text = std::str::from_utf8(message.first()).expect("numbers were sent");
    text.split(' ').next().and_then(|number| number.parse().ok()).expect("numbers were sent")
}

/// A body of a length that varies, so that connections are lost at any byte of a frame, header included.
fn body(number: u64) -> String {
    format!("{number} {}", "x".repeat((number as usize * 37) % 700))
}

#[test]
fn a_pushed_stream_stays_in_order_without_duplicates() {
    for_each_seed("a_pushed_stream_stays_in_order_without_duplicates", |seed| {
        let mut machine = Simulation::new(seed, Faults::HARSH.under_laws_of(seed));
        let (here, there) = (machine.context(), machine.context());
        let pull = there.pull().open().unwrap();
        pull.bind(ENDPOINT).unwrap();
        let push = here.push().open().unwrap();
        push.connect(ENDPOINT).unwrap();

        let mut last = None;
        for sent in 0..100 {
            machine.run(push.send_async(body(sent)), PATIENCE).expect("room comes").unwrap();
            // Time passes, or nothing could go wrong.
            machine.run_for(Duration::from_millis(sent % 40));
            while let Ok(message) = pull.try_recv() {
                follow(&mut last, &message, 0);
            }
        }
        // Whatever was lost with a connection is lost, but the path must heal by itself.
        machine.world().set_faults(Faults::NONE);
        for marker in 0..3 {
            machine.run(push.send_async(body(1000 + marker)), PATIENCE).expect("room comes").unwrap();
        }
        while last != Some(1002) {
            let message = machine.run(pull.recv_async(), PATIENCE).expect("the path heals").unwrap();
            follow(&mut last, &message, 0);
        }
    });
}

fn follow(last: &mut Option<u64>, message: &Message, at_least: u64) {
    let number = number(message);
    assert!(last.is_none_or(|last| number > last), "{number} came after {last:?}");
    assert!(number >= at_least);
    assert_eq!(message.first(), &body(number), "no byte of another message is in it");
    *last = Some(number);
}

#[test]
fn nothing_is_lost_on_a_network_that_only_dawdles() {
    for_each_seed("nothing_is_lost_on_a_network_that_only_dawdles", |seed| {
        let faults = Faults { refuse: 0.5, reset: 0.0, ..Faults::HARSH.under_laws_of(seed) };
        let mut machine = Simulation::new(seed, faults);
        let (here, there) = (machine.context(), machine.context());
        let router = here.router().open().unwrap();
        router.bind(ENDPOINT).unwrap();
        let dealer = there.dealer().open().unwrap();
        dealer.connect(ENDPOINT).unwrap();
        let mut echoed = 0;
        for sent in 0..40 {
            machine.run(dealer.send_async(body(sent)), PATIENCE).expect("room comes").unwrap();
            while let Ok(message) = router.try_recv() {
                machine.run(router.send_async(message), PATIENCE).expect("room comes").unwrap();
            }
        }
        let deadline = machine.world().now() + PATIENCE;
        while echoed < 40 {
            assert!(machine.world().now() < deadline, "{echoed} of 40 came back");
            let mut progress = false;
            while let Ok(message) = router.try_recv() {
                machine.run(router.send_async(message), PATIENCE).expect("room comes").unwrap();
                progress = true;
            }
            match dealer.try_recv() {
                Ok(message) => {
                    assert_eq!(message.first(), &body(echoed));
                    echoed += 1;
                    progress = true;
                }
                Err(Error::WouldBlock) => {}
                Err(error) => panic!("{error}"),
            }
            if !progress {
                machine.run_for(Duration::from_millis(5));
            }
        }
    });
}

#[test]
fn subscriptions_are_restored_after_every_loss() {
    for_each_seed("subscriptions_are_restored_after_every_loss", |seed| {
        let mut machine = Simulation::new(seed, Faults::HARSH.under_laws_of(seed));
        let (here, there) = (machine.context(), machine.context());
        let publisher = here.publisher().open().unwrap();
        publisher.bind(ENDPOINT).unwrap();
        let subscriber = there.subscriber().open().unwrap();
        subscriber.subscribe("news").unwrap();
        subscriber.subscribe("weather").unwrap();
        subscriber.connect(ENDPOINT).unwrap();
        for round in 0..50 {
            publisher.try_send(&body(round)).unwrap();
            publisher.try_send(&format!("news {round}")).unwrap();
            machine.run_for(Duration::from_millis(50));
            if round == 20 {
                subscriber.unsubscribe("weather").unwrap();
            }
            while let Ok(message) = subscriber.try_recv() {
                assert!(message.first().starts_with(b"news"), "{message:?} was not subscribed to");
            }
        }
        machine.world().set_faults(Faults::NONE);
        let restored = async {
            loop {
                publisher.try_send("news at last").unwrap();
                publisher.try_send("weather").unwrap();
                match subscriber.try_recv() {
                    Ok(message) if message == Message::from("news at last") => return,
                    Ok(message) => assert!(message.first().starts_with(b"news")),
                    Err(_) => yield_once().await,
                }
            }
        };
        machine.run(restored, PATIENCE).expect("the subscription comes back by itself");
    });
}

/// Lets the machine go on once.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut yielded, true) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

#[test]
fn closed_sockets_leave_nothing_behind() {
    for_each_seed("closed_sockets_leave_nothing_behind", |seed| {
        let mut machine = Simulation::new(seed, Faults::HARSH.under_laws_of(seed));
        let (here, there) = (machine.context(), machine.context());
        let pull = there.pull().open().unwrap();
        pull.bind(ENDPOINT).unwrap();
        let push = here.push().linger(Linger::For(Duration::from_secs(1))).open().unwrap();
        push.connect(ENDPOINT).unwrap();
        for sent in 0..20 {
            machine.run(push.send_async(body(sent)), PATIENCE).expect("room comes").unwrap();
        }
        drop(push);
        drop(pull);
        machine.run_for(Duration::from_secs(60));
        assert_nothing_is_left(&machine);
    });
}
