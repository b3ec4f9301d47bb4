//! REQ and REP: RFC 28.

use serverlink::{Error, Socket, SocketType::*};

use crate::{
    everywhere,
    world::{World, connect, eventually, peers, recv, recv_text, send, until_peers_left},
};

everywhere! {
    question_and_answer
    req_takes_turns_with_itself
    rep_takes_turns_with_itself
    req_asks_its_peers_in_turn
    rep_answers_who_asked
    rep_keeps_the_envelope
    rep_ignores_requests_without_delimiter
    req_ignores_replies_without_delimiter
    req_ignores_who_was_not_asked
    req_without_peer_would_block
    rep_goes_on_when_the_asker_left
}

pub(crate) fn assert_wrong_state<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::WrongState { .. })), "{result:?}");
}

fn assert_send_refused(socket: &Socket) {
    let refused = socket.try_send("not now").expect_err("it is not this socket's turn");
    assert!(matches!(refused.error, Error::WrongState { .. }), "{}", refused.error);
    assert_eq!(refused.into_message(), "not now");
}

fn question_and_answer(world: &World) {
    let (rep, req) = world.linked(Rep, Req);
    for round in 0..20 {
        send(&req, ["question", &round.to_string()]);
        assert_eq!(recv_text(&rep), ["question", &round.to_string()]);
        send(&rep, ["answer", "", "tail"]);
        assert_eq!(recv_text(&req), ["answer", "", "tail"]);
    }
}

fn req_takes_turns_with_itself(world: &World) {
    let (rep, req) = world.linked(Rep, Req);
    assert_wrong_state(req.try_recv());
    send(&req, ["question"]);
    assert_send_refused(&req);
    recv(&rep);
    send(&rep, ["answer"]);
    assert_eq!(recv_text(&req), ["answer"]);
    assert_wrong_state(req.try_recv());
    send(&req, ["next"]);
    assert_eq!(recv_text(&rep), ["next"]);
}

fn rep_takes_turns_with_itself(world: &World) {
    let (rep, req) = world.linked(Rep, Req);
    assert_send_refused(&rep);
    send(&req, ["question"]);
    assert_eq!(recv_text(&rep), ["question"]);
    assert_wrong_state(rep.try_recv());
    send(&rep, ["answer"]);
    assert_send_refused(&rep);
    assert_eq!(recv_text(&req), ["answer"]);
}

fn req_asks_its_peers_in_turn(world: &World) {
    let reps = [world.bound(Rep), world.bound(Rep)];
    let req = world.socket(Req);
    for (_, endpoint) in &reps {
        connect(&req, endpoint);
    }
    let mut asked = Vec::new();
    for _ in 0..6 {
        send(&req, ["question"]);
        let (name, rep) = first_readable(&reps);
        asked.push(name);
        recv(rep);
        send(rep, ["answer"]);
        recv(&req);
    }
    let turns: Vec<_> = asked.windows(2).map(|pair| pair[0] != pair[1]).collect();
    assert_eq!(turns, [true; 5], "{asked:?}");
}

/// Which of the two got the request that was sent to one of them.
fn first_readable(reps: &[(Socket, String); 2]) -> (usize, &Socket) {
    let readable = |(rep, _): &(Socket, String)| rep.readiness().readable;
    eventually("somebody was asked", || reps.iter().any(readable));
    let name = reps.iter().position(readable).expect("nobody took the request since");
    (name, &reps[name].0)
}

fn rep_answers_who_asked(world: &World) {
    let (rep, endpoint) = world.bound(Rep);
    let reqs: Vec<_> = (0..3).map(|_| world.connected(Req, &endpoint)).collect();
    peers(&rep, 3);
    for (name, req) in reqs.iter().enumerate() {
        send(req, [&name.to_string()]);
    }
    for _ in 0..3 {
        let question = recv_text(&rep);
        send(&rep, ["answer to", &question[0]]);
    }
    for (name, req) in reqs.iter().enumerate() {
        assert_eq!(recv_text(req), ["answer to", &name.to_string()]);
    }
}

fn rep_keeps_the_envelope(world: &World) {
    let (rep, dealer) = world.linked(Rep, Dealer);
    send(&dealer, ["far hop", "near hop", "", "question"]);
    assert_eq!(recv_text(&rep), ["question"]);
    send(&rep, ["answer"]);
    assert_eq!(recv_text(&dealer), ["far hop", "near hop", "", "answer"]);
}

fn rep_ignores_requests_without_delimiter(world: &World) {
    let (rep, dealer) = world.linked(Rep, Dealer);
    send(&dealer, ["no", "delimiter"]);
    send(&dealer, ["", "well formed"]);
    assert_eq!(recv_text(&rep), ["well formed"]);
    send(&rep, ["answer"]);
    assert_eq!(recv_text(&dealer), ["", "answer"]);
}

fn req_ignores_replies_without_delimiter(world: &World) {
    let (router, req) = world.linked(Router, Req);
    send(&req, ["question"]);
    let question = recv(&router);
    assert_eq!(question.part_count(), 3);
    for reply in [&["malformed"][..], &["", "well formed"]] {
        let mut message = serverlink::Message::from(question[0].clone());
        reply.iter().for_each(|part| message.push_back(*part));
        router.send(message).expect("replying");
    }
    assert_eq!(recv_text(&req), ["well formed"]);
}

fn req_ignores_who_was_not_asked(world: &World) {
    let routers = [world.bound(Router), world.bound(Router)];
    let req = world.socket_with(Req, |options| options.routing_id = b"asker".to_vec());
    for (router, endpoint) in &routers {
        connect(&req, endpoint);
        peers(router, 1);
    }
    send(&req, ["question"]);
    // Peers are asked in the order in which they came.
    assert_eq!(recv_text(&routers[0].0), ["asker", "", "question"]);
    send(&routers[1].0, ["asker", "", "unasked"]);
    send(&routers[0].0, ["asker", "", "asked"]);
    assert_eq!(recv_text(&req), ["asked"]);
}

fn req_without_peer_would_block(world: &World) {
    let (req, _endpoint) = world.bound(Req);
    let refused = req.try_send("anybody?").expect_err("nobody is there to be asked");
    assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
    // The refused question does not count as asked.
    assert_wrong_state(req.try_recv());
}

fn rep_goes_on_when_the_asker_left(world: &World) {
    let (rep, endpoint) = world.bound(Rep);
    let leaving = world.connected(Req, &endpoint);
    send(&leaving, ["question"]);
    assert_eq!(recv_text(&rep), ["question"]);
    leaving.close(std::time::Duration::ZERO);
    until_peers_left(&rep, 0);
    // The answer goes nowhere, and that is no error of the answering side.
    send(&rep, ["answer"]);
    let staying = world.connected(Req, &endpoint);
    send(&staying, ["another"]);
    assert_eq!(recv_text(&rep), ["another"]);
    send(&rep, ["answer"]);
    assert_eq!(recv_text(&staying), ["answer"]);
}
