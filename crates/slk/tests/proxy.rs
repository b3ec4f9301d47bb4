//! A proxy of its own process, between others.

mod tool;

use tool::{Slk, run};

fn proxy(ends: &str) -> (Slk, String, String) {
    let mut proxy = run(&format!("proxy {ends}"));
    let (front, back) = (proxy.endpoint(), proxy.endpoint());
    (proxy, front, back)
}

/// Windows has no signals, and no way to type ^C for one process alone.
#[cfg(unix)]
fn ended(proxy: Slk) -> String {
    let ended = proxy.end_by("INT");
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(ended.stderr.contains("interrupted; nothing was left undelivered"), "{}", ended.stderr);
    String::from_utf8(ended.stdout).expect("the output is text")
}

#[cfg(not(unix))]
fn ended(_proxy: Slk) -> String {
    String::new()
}

#[test]
fn requests_go_through_it_and_statistics_come_at_the_end() {
    let (proxy, front, back) =
        proxy("--frontend router@tcp://127.0.0.1:* --backend dealer@tcp://127.0.0.1:*");
    let rep = run(&format!("rep --connect {back} -n 2 --reply pong --timeout 30"));
    let req = run(&format!("req --connect {front} -m ping -n 2 --timeout 30"));
    assert_eq!(req.wait().ok(), "pong\npong\n");
    rep.wait().ok();
    let said = ended(proxy);
    if cfg!(unix) {
        // With the address and the empty part that a request travels in.
        let sides = ["frontend  received 2 messages of 18 bytes, sent 2", "backend   received 2"];
        assert!(
            sides.iter().all(|side| said.contains(side)) && said.ends_with("dropped   0 messages\n"),
            "{said}"
        );
    }
}

#[cfg(unix)]
#[test]
fn statistics_that_nobody_reads_change_nothing() {
    let (mut proxy, ..) = proxy("--frontend pull@tcp://127.0.0.1:* --backend push@tcp://127.0.0.1:*");
    drop(proxy.stdout.take());
    assert_eq!(ended(proxy), "");
}

#[test]
fn a_hub_passes_subscriptions_on() {
    let (proxy, front, back) = proxy("--frontend xsub@tcp://127.0.0.1:* --backend xpub@tcp://127.0.0.1:*");
    let sub = run(&format!("sub --connect {back} --topic berlin -n 1 --timeout 30"));
    let publisher = run(&format!("pub --connect {front} -m lisbon -m berlin --timeout 30"));
    assert_eq!(sub.wait().ok(), "berlin\n");
    publisher.wait().ok();
    ended(proxy);
}

#[test]
fn whoever_subscribes_at_the_capture_sees_what_passes() {
    let ends =
        "--frontend pull@tcp://127.0.0.1:* --backend push@tcp://127.0.0.1:* --capture tcp://127.0.0.1:*";
    let (mut proxy, front, back) = proxy(ends);
    let seen = run(&format!("sub --connect {} -n 1 --timeout 30", proxy.endpoint()));
    let mut pull = run(&format!("pull --connect {back} --timeout 30"));
    let mut output = pull.stdout.take().expect("its output is piped");
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    // Again and again: a subscriber misses what was published before it came.
    let _push = run(&format!("push --connect {front} -m again -n 1000000000 --timeout 30"));
    assert_eq!(seen.wait().ok(), "again\n");
}

#[test]
fn an_end_can_connect() {
    let mut pull = run("pull --bind tcp://127.0.0.1:* -n 1 --timeout 30");
    let mut proxy =
        run(&format!("proxy --frontend pull@tcp://127.0.0.1:* --backend push@connect:{}", pull.endpoint()));
    let push = run(&format!("push --connect {} -m through --timeout 30", proxy.endpoint()));
    assert_eq!(pull.wait().ok(), "through\n");
    push.wait().ok();
    ended(proxy);
}

#[test]
fn what_makes_no_proxy_is_refused() {
    let wrong = run("proxy --frontend rep@tcp://127.0.0.1:* --backend push@tcp://127.0.0.1:*").wait();
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stderr.contains("a REP socket cannot be one end of a proxy"), "{}", wrong.stderr);
    let usage = run("proxy --frontend tcp://127.0.0.1:* --backend push@tcp://127.0.0.1:*").wait();
    assert_eq!(usage.code, Some(2), "{usage:?}");
    assert_eq!(run("proxy --frontend pull@tcp://127.0.0.1:*").wait().code, Some(2));
}
