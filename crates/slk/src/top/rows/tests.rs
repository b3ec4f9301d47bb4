use super::*;

/// Two sockets; `step` counts the snapshots.
pub(in crate::top) fn snapshot(step: u64) -> Snapshot {
    let text = format!(
        r#"{{"version":1,"time":{time},"process":77,"sockets":[
            {{"socket":1,"type":"ROUTER","bound":["tcp://127.0.0.1:5555"],"sent":{sent},"received":10,
              "sent_bytes":{bytes},"connected":2,"reconnects":0,"dropped":{{"high_water_mark":3,"peer_gone":4}},
              "send_queue":12,"send_queue_bytes":2048,"something_new":[],
              "peers":[
                {{"peer":5,"type":"DEALER","endpoint":"tcp://127.0.0.1:5555","peer_address":"tcp://127.0.0.1:40001",
                  "routing_id":"slow","connected_seconds":65.5,"sent":{slow},"connections":1}},
                {{"peer":6,"type":"DEALER","endpoint":"tcp://127.0.0.1:5555","peer_address":"tcp://127.0.0.1:40002",
                  "routing_id":"quick","connected_seconds":5.0,"sent":{sent},"connections":1,
                  "round_trip":{{"last":0.002,"smoothed":0.00125}}}}
              ]}},
            {{"socket":2,"type":"SUB","sent":0,"received":0,"connected":0,"peers":[
                {{"peer":1,"type":null,"endpoint":"tcp://10.0.0.9:1","routing_id":"","connection_attempts":4}}]}}
        ]}}"#,
        time = 1000 + 2 * step,
        sent = 5000 * step,
        bytes = 4096 * step,
        slow = step,
    );
    Snapshot::parse(text.as_bytes()).expect("a snapshot")
}

fn names(rows: &Rows) -> Vec<&str> {
    rows.rows.iter().map(|row| row.name.as_str()).collect()
}

#[test]
fn rates_come_from_two_snapshots() {
    let rows = Rows::between(Some(&snapshot(1)), &snapshot(2), Order::by(Column::Name));
    let cells: Vec<String> =
        Column::value_variants().iter().map(|&column| rows.rows[0].cell(column)).collect();
    assert_eq!(
        cells,
        [
            "1 ROUTER tcp://127.0.0.1:5555",
            "2.50k",
            "0",
            "2.00Ki",
            "0",
            "12 2.00KiB",
            "0",
            "7",
            "0",
            "",
            "2 peers"
        ]
    );
    assert_eq!((rows.sockets, rows.peers, rows.total.sent), (2, 2, 2500.0));
}

#[test]
fn without_a_snapshot_before_or_with_another_process_there_are_none() {
    let mut other = snapshot(1);
    other.process = 78;
    for before in [None, Some(&other)] {
        let rows = Rows::between(before, &snapshot(2), Order::by(Column::Name));
        assert_eq!((rows.total.sent, rows.rows[0].cell(Column::Out).as_str()), (0.0, "0"));
    }
}

#[test]
fn peers_stay_under_their_socket_and_are_sorted() {
    let (before, now) = (snapshot(1), snapshot(2));
    let by = |column, reversed| Rows::between(Some(&before), &now, Order { column, reversed });
    let (slow, quick) = ("DEALER slow tcp://127.0.0.1:40001", "DEALER quick tcp://127.0.0.1:40002");
    let (router, sub, away) = ("1 ROUTER tcp://127.0.0.1:5555", "2 SUB", "? tcp://10.0.0.9:1");
    assert_eq!(names(&by(Column::Name, false)), [router, quick, slow, sub, away]);
    assert_eq!(names(&by(Column::Name, true)), [sub, away, router, slow, quick]);
    assert_eq!(names(&by(Column::Out, false)), [router, quick, slow, sub, away]);
    assert_eq!(names(&by(Column::State, false))[..1], [router]);
    assert_eq!(names(&by(Column::Out, true)), [sub, away, router, slow, quick]);
}

#[test]
fn a_peer_that_is_away_says_so() {
    let rows = Rows::between(None, &snapshot(1), Order::by(Column::Name));
    assert_eq!(rows.rows[4].cell(Column::State), "away, try 4");
    assert_eq!(rows.rows[1].cell(Column::Rtt), "1.25ms");
}

#[test]
fn orders_go_round() {
    let first = Order::by(Column::Name);
    assert_eq!(first.moved(-1).column, Column::State);
    assert_eq!(first.moved(-1).moved(1), first);
}
