use super::*;

fn line(number: u64) -> Record {
    Record::Line(format!("line {number}").into_bytes())
}

/// Everything that wants to be on the wire, put there.
fn transmit(link: &mut Outbound) -> Vec<(u64, Record)> {
    let mut sent = Vec::new();
    while let Some((number, record)) = link.poll_transmit() {
        sent.push((number, record.clone()));
        link.on_transmitted();
    }
    sent
}

#[test]
fn records_are_delivered_in_order_and_acknowledged_together() {
    let now = Instant::now();
    let (mut from, mut to) = (Outbound::new(now), Inbound::default());
    for number in 0..3 {
        from.handle_record(line(number), now);
    }
    from.handle_record(Record::End, now);
    for (number, record) in transmit(&mut from) {
        assert!(to.handle_record(number, &record));
    }
    assert_eq!(to.poll_acknowledgement(), Some(4));
    let later = now + Duration::from_millis(3);
    assert_eq!(from.handle_acknowledgement(4, later), Some(Duration::from_millis(3)));
    assert!(from.is_done() && to.is_done());
    assert_eq!(from.tally(), to.tally());
    assert_eq!(from.tally().lines, 3);
}

#[test]
fn the_window_closes_and_opens_with_acknowledgements() {
    let now = Instant::now();
    let mut from = Outbound::new(now);
    while from.has_room() {
        from.handle_record(line(0), now);
    }
    assert_eq!(transmit(&mut from).len(), WINDOW);
    from.handle_acknowledgement(1, now);
    assert!(from.has_room());
}

#[test]
fn what_was_lost_is_sent_again_and_what_came_is_filtered() {
    let mut now = Instant::now();
    let (mut from, mut to) = (Outbound::new(now), Inbound::default());
    for number in 0..4 {
        from.handle_record(line(number), now);
    }
    // Record 1 is lost, so 2 and 3 cannot be taken.
    for (number, record) in transmit(&mut from) {
        if number != 1 {
            assert_eq!(to.handle_record(number, &record), number == 0);
        }
    }
    from.handle_acknowledgement(to.poll_acknowledgement().unwrap(), now);
    assert!(transmit(&mut from).is_empty(), "nothing is sent again before its time");

    now += PATIENCE;
    from.handle_time(now);
    let again = transmit(&mut from);
    assert_eq!(again.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3]);
    for (number, record) in &again {
        assert!(to.handle_record(*number, record));
    }
    assert!(!to.handle_record(1, &again[0].1), "a second copy is filtered");
    from.handle_acknowledgement(4, now);
    assert_eq!((from.resent(), to.filtered()), (3, 3));
    assert_eq!(from.tally(), to.tally());
}

#[test]
fn an_acknowledgement_that_makes_no_sense_changes_nothing() {
    let now = Instant::now();
    let mut from = Outbound::new(now);
    from.handle_record(line(0), now);
    transmit(&mut from);
    assert_eq!(from.handle_acknowledgement(2, now), None);
    assert_eq!(from.handle_acknowledgement(0, now), None);
    assert!(from.handle_acknowledgement(1, now).is_some());
    assert_eq!(from.handle_acknowledgement(0, now), None, "an old one");
    assert_eq!(from.poll_deadline(), None);
}

#[test]
fn tallies_tell_lines_apart_that_read_the_same_together() {
    let tally = |lines: &[&str]| {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.add(line.as_bytes()));
        tally.digest
    };
    assert_ne!(tally(&["ab", "c"]), tally(&["a", "bc"]));
    assert_ne!(tally(&["a", "b"]), tally(&["b", "a"]));
}

/// Two ends and a wire that loses whatever a simple generator says: in the end both have seen the same lines.
#[test]
fn no_pattern_of_losses_makes_the_ends_disagree() {
    for seed in 1..200u64 {
        let mut state = seed;
        let mut lost = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % 4 == 0
        };
        let mut now = Instant::now();
        let (mut from, mut to) = (Outbound::new(now), Inbound::default());
        let mut next = 0;
        while !from.is_done() {
            while from.has_room() && next <= 700 {
                from.handle_record(if next < 700 { line(next) } else { Record::End }, now);
                next += 1;
            }
            for (number, record) in transmit(&mut from) {
                if !lost() {
                    to.handle_record(number, &record);
                }
            }
            if let Some(expected) = to.poll_acknowledgement().filter(|_| !lost()) {
                from.handle_acknowledgement(expected, now);
                to.on_acknowledged();
            }
            now += PATIENCE;
            from.handle_time(now);
        }
        assert!(to.is_done(), "seed {seed}");
        assert_eq!(from.tally(), to.tally(), "seed {seed}");
        assert_eq!(to.tally().lines, 700, "seed {seed}");
    }
}
