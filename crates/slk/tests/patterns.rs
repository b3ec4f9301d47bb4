//! Every pattern, between two processes.

mod tool;

use tool::run;

#[test]
fn lines_pushed_are_lines_pulled() {
    let mut pull = run("pull --bind tcp://127.0.0.1:* -n 3 --timeout 30");
    let push = run(&format!("push --connect {} --timeout 30", pull.endpoint())).feed(b"one\n\nthree");
    assert_eq!(pull.wait().ok(), "one\n\nthree\n");
    assert_eq!(push.wait().ok(), "");
}

#[test]
fn a_pipeline_works_over_ipc_and_with_the_pusher_bound() {
    let directory = tempfile::tempdir().expect("a directory for the socket");
    let endpoint = format!("ipc://{}", directory.path().join("pipe").display());
    let mut push = run(&format!("push --bind {endpoint} --timeout 30 -m hello"));
    assert_eq!(push.endpoint(), endpoint);
    let pull = run(&format!("pull --connect {endpoint} -n 1 --timeout 30"));
    assert_eq!(pull.wait().ok(), "hello\n");
    push.wait().ok();
}

#[test]
fn a_large_text_arrives_whole_and_in_order() {
    let text: String = (0..50_000).map(|i| format!("{i} {}\n", "x".repeat(i % 90))).collect();
    let mut pull = run("pull --bind tcp://127.0.0.1:* -n 50000 --timeout 30");
    let push = run(&format!("push --connect {} --timeout 30", pull.endpoint())).feed(text.as_bytes());
    assert!(pull.wait().ok() == text, "the text changed on its way");
    push.wait().ok();
}

#[test]
fn a_message_is_repeated_until_there_were_count() {
    let mut pull = run("pull --bind tcp://127.0.0.1:* -n 5 --timeout 30");
    let push = run(&format!("push --connect {} --timeout 30 -m a -m b -n 5", pull.endpoint()));
    assert_eq!(pull.wait().ok(), "a\nb\na\nb\na\n");
    push.wait().ok();
}

#[test]
fn what_is_typed_arrives_line_by_line() {
    let mut pull = run("pull --bind tcp://127.0.0.1:* -n 2 --timeout 30");
    let mut push = run(&format!("push --connect {} --timeout 30", pull.endpoint()));
    push.type_in("first\n");
    assert_eq!(pull.line(), "first");
    push.type_in("second\n");
    assert_eq!(pull.line(), "second");
    pull.wait().ok();
    push.wait().ok();
}

#[test]
fn a_publisher_waits_for_its_subscriber_and_sends_by_topic() {
    let mut publisher = run("pub --bind tcp://127.0.0.1:* --topic weather --timeout 30");
    let endpoint = publisher.endpoint();
    let publisher = publisher.feed(b"rain\nsun\n");
    let subscriber = run(&format!("sub --connect {endpoint} --topic weather -n 2 --timeout 30"));
    assert_eq!(subscriber.wait().ok(), "weather\train\nweather\tsun\n");
    publisher.wait().ok();
}

#[test]
fn other_topics_do_not_arrive() {
    let mut publisher = run("pub --bind tcp://127.0.0.1:* --timeout 30 -m apple -m pear -m avocado");
    let subscriber = run(&format!("sub --connect {} --topic a -n 2 --timeout 30", publisher.endpoint()));
    assert_eq!(subscriber.wait().ok(), "apple\navocado\n");
    publisher.wait().ok();
}

#[test]
fn patterns_fit_the_whole_first_part() {
    let mut publisher = run("pub --bind tcp://127.0.0.1:* --timeout 30 -m apple -m pear -m avocado -m area");
    let subscriber =
        run(&format!("sub --connect {} --pattern a*[eo] -n 2 --timeout 30", publisher.endpoint()));
    assert_eq!(subscriber.wait().ok(), "apple\navocado\n");
    publisher.wait().ok();
}

#[test]
fn a_request_is_echoed_by_default() {
    let mut reply = run("rep --bind tcp://127.0.0.1:* -n 2 --timeout 30");
    let request = run(&format!("req --connect {} --timeout 30", reply.endpoint())).feed(b"one\ntwo\n");
    assert_eq!(request.wait().ok(), "one\ntwo\n");
    assert_eq!(reply.wait().ok(), "one\ntwo\n");
}

#[test]
fn replies_are_a_text_or_come_from_standard_input() {
    let mut always = run("rep --bind tcp://127.0.0.1:* -n 1 --timeout 30 --reply yes");
    let request = run(&format!("req --connect {} --timeout 30 -m really?", always.endpoint()));
    assert_eq!(request.wait().ok(), "yes\n");
    assert_eq!(always.wait().ok(), "really?\n");

    let mut in_turn = run("rep --bind tcp://127.0.0.1:* -n 2 --timeout 30 --replies lines");
    let endpoint = in_turn.endpoint();
    let in_turn = in_turn.feed(b"1\n2\n");
    let request = run(&format!("req --connect {endpoint} --timeout 30 -n 2 -m next"));
    assert_eq!(request.wait().ok(), "1\n2\n");
    assert_eq!(in_turn.wait().ok(), "next\nnext\n");
}

#[test]
fn questions_and_answers_are_shown_before_the_next_is_typed() {
    let mut reply = run("rep --bind tcp://127.0.0.1:* -n 2 --timeout 30 --replies lines");
    let mut request = run(&format!("req --connect {} --timeout 30", reply.endpoint()));
    for (question, answer) in [("one?", "1"), ("two?", "2")] {
        request.type_in(&format!("{question}\n"));
        assert_eq!(reply.line(), question);
        reply.type_in(&format!("{answer}\n"));
        assert_eq!(request.line(), answer);
    }
    request.wait().ok();
    reply.wait().ok();
}

#[test]
fn a_router_answers_the_dealer_it_names() {
    let mut router = run("router --bind tcp://127.0.0.1:* -n 2 --timeout 30");
    let mut dealer =
        run(&format!("dealer --connect {} --routing-id worker -n 1 --timeout 30", router.endpoint()));
    dealer.type_in("question\n");
    assert_eq!(router.line(), "worker\tquestion");
    router.type_in("worker\tanswer\twith a tab\n");
    assert_eq!(dealer.wait().ok(), "answer\twith a tab\n");
}

#[test]
fn a_router_can_send_everything_to_one_peer() {
    let mut router = run("router --bind tcp://127.0.0.1:* --to worker -n 2 --timeout 30");
    let mut dealer =
        run(&format!("dealer --connect {} --routing-id worker -n 1 --timeout 30", router.endpoint()));
    dealer.type_in("ready\n");
    assert_eq!(router.line(), "worker\tready");
    router.type_in("go\n");
    assert_eq!(dealer.line(), "go");
    dealer.wait().ok();
}

#[test]
fn a_pair_talks_both_ways() {
    let mut left = run("pair --bind tcp://127.0.0.1:* -n 2 --timeout 30");
    let mut right = run(&format!("pair --connect {} -n 1 --timeout 30", left.endpoint()));
    right.type_in("from the right\n");
    assert_eq!(left.line(), "from the right");
    left.type_in("from the left\n");
    assert_eq!(right.wait().ok(), "from the left\n");
}

#[test]
fn an_xpub_sees_subscriptions_and_an_xsub_gets_its_topics() {
    let mut publisher = run("xpub --bind tcp://127.0.0.1:* -n 2 --timeout 30 --output json");
    let mut subscriber =
        run(&format!("xsub --connect {} --topic news -n 1 --timeout 30", publisher.endpoint()));
    assert_eq!(publisher.line(), r#"["\u0001news"]"#);
    publisher.type_in("news of the day\n");
    assert_eq!(subscriber.line(), "news of the day");
    subscriber.wait().ok();
}
