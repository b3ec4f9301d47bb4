//! What `req_correlate` and `req_relaxed` change.

use serverlink::{Message, Options, Part, Socket, SocketType::*};

use crate::{
    everywhere,
    request::assert_wrong_state,
    world::{World, connect, peers, recv, recv_text, send, until_peers_left},
};

everywhere! {
    correlated_requests_carry_an_id
    a_reply_to_another_request_is_ignored
    relaxed_asks_again_and_gets_the_last_answer
    relaxed_asks_another_when_the_first_left
}

fn correlated(options: &mut Options) {
    options.req_correlate = true;
}

fn relaxed(options: &mut Options) {
    options.req_correlate = true;
    options.req_relaxed = true;
}

/// A ROUTER that is asked by a REQ with these options.
fn asked(world: &World, change: fn(&mut Options)) -> (Socket, Socket) {
    let (router, endpoint) = world.bound(Router);
    let req = world.socket_with(Req, change);
    connect(&req, &endpoint);
    peers(&router, 1);
    (router, req)
}

fn reply(parts: [Part; 4]) -> Message {
    Message::from_parts(parts)
}

fn correlated_requests_carry_an_id(world: &World) {
    let (router, req) = asked(world, correlated);
    let mut ids = Vec::new();
    for _ in 0..2 {
        send(&req, ["question"]);
        let question = recv(&router);
        assert_eq!(question.part_count(), 4, "address, request id, delimiter, body");
        assert_eq!(question[1].len(), 4);
        assert!(question[2].is_empty());
        assert_eq!(question[3], "question");
        ids.push(question[1].clone());
        let answer = [question[0].clone(), question[1].clone(), Part::new(), Part::from("answer")];
        router.send(reply(answer)).expect("replying");
        assert_eq!(recv_text(&req), ["answer"]);
    }
    assert_ne!(ids[0], ids[1]);
}

fn a_reply_to_another_request_is_ignored(world: &World) {
    let (router, req) = asked(world, correlated);
    send(&req, ["question"]);
    let question = recv(&router);
    let wrong_id = Part::from(question[1].iter().map(|byte| !byte).collect::<Vec<u8>>());
    for (id, body) in [(wrong_id, "wrong"), (question[1].clone(), "right")] {
        router.send(reply([question[0].clone(), id, Part::new(), Part::from(body)])).expect("replying");
    }
    assert_eq!(recv_text(&req), ["right"]);
    assert_wrong_state(req.try_recv());
}

fn relaxed_asks_again_and_gets_the_last_answer(world: &World) {
    let (router, req) = asked(world, relaxed);
    let questions = ["first", "second"].map(|question| {
        send(&req, [question]);
        recv(&router)
    });
    for question in &questions {
        let answer = Part::from([b"answer to ", question[3].as_bytes()].concat());
        router
            .send(reply([question[0].clone(), question[1].clone(), Part::new(), answer]))
            .expect("replying");
    }
    assert_eq!(recv_text(&req), ["answer to second"]);
}

fn relaxed_asks_another_when_the_first_left(world: &World) {
    let leaving = world.socket(Rep);
    let first = world.bind(&leaving);
    let (staying, second) = world.bound(Rep);
    let req = world.socket_with(Req, relaxed);
    connect(&req, &first);
    connect(&req, &second);
    peers(&staying, 1);
    send(&req, ["question"]);
    assert_eq!(recv_text(&leaving), ["question"]);
    leaving.close(std::time::Duration::ZERO);
    until_peers_left(&req, 1);
    req.disconnect(&first).expect("it was connected there");
    send(&req, ["again"]);
    assert_eq!(recv_text(&staying), ["again"]);
    send(&staying, ["answer"]);
    assert_eq!(recv_text(&req), ["answer"]);
}
