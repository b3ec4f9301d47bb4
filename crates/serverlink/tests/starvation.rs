//! Nobody starves while the application is busy with somebody else.
use std::time::{Duration, Instant};

use serverlink::{Context, SocketType};

#[test]
fn wire_peers_are_heard_beside_a_busy_ring() {
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let pull = here.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    pull.bind("inproc://p").unwrap();
    let busy = here.socket(SocketType::Push).unwrap();
    busy.connect("inproc://p").unwrap();
    let far = there.socket(SocketType::Push).unwrap();
    far.connect(&endpoint).unwrap();
    far.send("drive once").unwrap();
    assert_eq!(pull.recv_deadline(Instant::now() + Duration::from_secs(5)).unwrap(), "drive once".into());
    busy.send("busy").unwrap();
    far.send("far").unwrap();
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        busy.send("busy").unwrap();
        if pull.recv().unwrap() == "far".into() {
            return;
        }
    }
    panic!("nobody drove the tcp connection for three seconds");
}
