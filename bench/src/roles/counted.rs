//! What the gate counts: one thread plays both ends on a simulated machine, so that every run does exactly the same.
//!
//! Callgrind counts what happens inside of one of the three `act_of_*`, and nothing else.

use std::{hint::black_box, time::Duration};

use serverlink::{
    Context, Options, Socket, SocketType,
    sim::{Faults, Simulation},
};

use crate::{Error, arguments::Arguments, gate::Subject, load::say};

const BODY: [u8; 64] = [7; 64];
const ENDPOINT: &str = "tcp://10.0.0.1:5555";
const INPROC: &str = "inproc://counted";
const SUBSCRIBERS: usize = 10;
/// A turn ends when nobody has room, or after so many messages.
const PER_TURN: usize = 4_000;
/// A publisher does not wait for room, so it stays below every mark.
const PUBLICATIONS_PER_TURN: usize = 500;
const TRIPS_PER_TURN: usize = 10;
/// More than the way from one end to the other takes.
const DELIVERY: Duration = Duration::from_micros(100);
/// Time for I/O threads to look at what was left to them.
const REST: Duration = Duration::from_millis(2);
/// For connections and subscriptions.
const BEGINNING: Duration = Duration::from_secs(1);

/// `counted subject=`: plays it to its end, and says `played`.
pub(super) fn play(arguments: &Arguments) -> Result<(), Error> {
    let subject: Subject = arguments.need("subject")?;
    let mut machine = Simulation::new(1, Faults::NONE);
    let (here, there) = (machine.context(), machine.context());
    let messages = subject.messages();
    match subject {
        Subject::PushPull => {
            let ends = Ends::open(&there, SocketType::Pull, &here, SocketType::Push, ENDPOINT)?;
            ends.stream(&mut machine, messages)?;
        }
        Subject::DealerRouter => {
            let ends = Ends::open(&there, SocketType::Router, &here, SocketType::Dealer, ENDPOINT)?;
            ends.stream(&mut machine, messages)?;
        }
        Subject::ReqRep => {
            let ends = Ends::open(&there, SocketType::Rep, &here, SocketType::Req, ENDPOINT)?;
            ends.round_trips(&mut machine, messages)?;
        }
        Subject::PubToTen => publish(&mut machine, &here, &there, messages)?,
        Subject::Inproc => {
            let ends = Ends::open(&here, SocketType::Pull, &here, SocketType::Push, INPROC)?;
            ends.stream(&mut machine, messages)?;
        }
    }
    say("played");
    Ok(())
}

struct Ends {
    sender: Socket,
    receiver: [Socket; 1],
}

impl Ends {
    fn open(
        there: &Context,
        receiving: SocketType,
        here: &Context,
        sending: SocketType,
        endpoint: &str,
    ) -> Result<Ends, Error> {
        let (receiver, sender) = (socket(there, receiving)?, socket(here, sending)?);
        receiver.bind(endpoint).map_err(failed("binding"))?;
        sender.connect(endpoint).map_err(failed("connecting"))?;
        Ok(Ends { sender, receiver: [receiver] })
    }

    fn stream(&self, machine: &mut Simulation, messages: usize) -> Result<(), Error> {
        machine.run_for(BEGINNING);
        let (mut sent, mut received) = (0, 0);
        while received < messages {
            sent += act_of_sender(&self.sender, PER_TURN.min(messages - sent))?;
            machine.jump(DELIVERY);
            received += act_of_receiver(&self.receiver)?;
            act_of_machine(machine);
        }
        Ok(())
    }

    fn round_trips(&self, machine: &mut Simulation, trips: usize) -> Result<(), Error> {
        machine.run_for(BEGINNING);
        let [answerer] = &self.receiver;
        for trip in 0..trips {
            act_of_sender(&self.sender, 1)?;
            machine.jump(DELIVERY);
            act_of_receiver_answering(answerer)?;
            machine.jump(DELIVERY);
            act_of_sender_hearing(&self.sender)?;
            if trip % TRIPS_PER_TURN == 0 {
                act_of_machine(machine);
            }
        }
        Ok(())
    }
}

fn publish(machine: &mut Simulation, here: &Context, there: &Context, messages: usize) -> Result<(), Error> {
    let publisher = socket(here, SocketType::Pub)?;
    publisher.bind(ENDPOINT).map_err(failed("binding"))?;
    let mut subscribers = Vec::new();
    for _ in 0..SUBSCRIBERS {
        let subscriber = socket(there, SocketType::Sub)?;
        subscriber.connect(ENDPOINT).map_err(failed("connecting"))?;
        subscriber.subscribe("").map_err(failed("subscribing"))?;
        subscribers.push(subscriber);
    }
    machine.run_for(BEGINNING);
    let (mut sent, mut received) = (0, 0);
    while received < messages * SUBSCRIBERS {
        sent += act_of_sender(&publisher, PUBLICATIONS_PER_TURN.min(messages - sent))?;
        machine.jump(DELIVERY);
        received += act_of_receiver(&subscribers)?;
        act_of_machine(machine);
    }
    Ok(())
}

/// How many messages there was room for, at most so many.
#[inline(never)]
fn act_of_sender(sender: &Socket, at_most: usize) -> Result<usize, Error> {
    for sent in 0..at_most {
        match sender.try_send(black_box(&BODY)) {
            Ok(()) => {}
            Err(refused) if matches!(refused.error, serverlink::Error::WouldBlock) => return Ok(sent),
            Err(refused) => return Err(failed("sending")(refused.error)),
        }
    }
    Ok(at_most)
}

#[inline(never)]
fn act_of_sender_hearing(asker: &Socket) -> Result<(), Error> {
    black_box(asker.try_recv().map_err(failed("receiving"))?);
    Ok(())
}

/// How many messages were there.
#[inline(never)]
fn act_of_receiver(receivers: &[Socket]) -> Result<usize, Error> {
    let mut received = 0;
    for receiver in receivers {
        loop {
            match receiver.try_recv() {
                Ok(message) => drop(black_box(message)),
                Err(serverlink::Error::WouldBlock) => break,
                Err(error) => return Err(failed("receiving")(error)),
            }
            received += 1;
        }
    }
    Ok(received)
}

#[inline(never)]
fn act_of_receiver_answering(answerer: &Socket) -> Result<(), Error> {
    black_box(answerer.try_recv().map_err(failed("receiving"))?);
    answerer.try_send(black_box(&BODY)).map_err(|refused| failed("sending")(refused.error))
}

#[inline(never)]
fn act_of_machine(machine: &mut Simulation) {
    machine.run_for(REST);
}

fn socket(context: &Context, socket_type: SocketType) -> Result<Socket, Error> {
    context.socket_with(socket_type, Options::default()).map_err(failed("creating a socket"))
}

fn failed(doing: &'static str) -> impl FnOnce(serverlink::Error) -> Error {
    move |error| Error::Peer { peer: "serverlink", doing, why: error.to_string() }
}
