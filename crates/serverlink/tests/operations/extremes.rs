//! Any values of options: what is refused is refused with a sentence, and what is accepted works.

use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{AcceptFilter, Context, Error, Linger, Options, ReconnectStop, Socket, SocketType};

use crate::choices::Choices;
use crate::ending::assert_nothing_is_left;

const ENDPOINT: &str = "tcp://10.0.0.1:5555";

/// Who sends, and who receives.
const PAIRS: [(SocketType, SocketType); 12] = {
    use SocketType::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, Xpub, Xsub};
    [
        (Push, Pull),
        (Pub, Sub),
        (Pub, Xsub),
        (Xpub, Sub),
        (Xpub, Xsub),
        (Xsub, Xpub),
        (Req, Rep),
        (Req, Router),
        (Dealer, Router),
        (Dealer, Dealer),
        (Pair, Pair),
        (Router, Router),
    ]
};

const NANOSECOND: Duration = Duration::from_nanos(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Two sockets with drawn options, and a message between them.
pub(crate) fn play(input: &[u8]) {
    let mut choices = Choices::new(input);
    let seed = u64::from(choices.byte());
    let (sending, receiving) = choices.of(&PAIRS);
    let sender_binds = choices.once_in(2);
    let mut machine = Simulation::new(seed, Faults::NONE.under_laws_of(seed));
    let context = machine.context();
    let Some(sender) = open(&context, sending, &mut choices) else { return };
    let Some(receiver) = open(&context, receiving, &mut choices) else { return };
    let (listener, dialer) = if sender_binds { (&sender, &receiver) } else { (&receiver, &sender) };
    let met = listener.bind(ENDPOINT).map(drop).and_then(|()| connect(dialer));
    match met {
        // An option that this machine does not have.
        Err(error) => assert_is_a_sentence(&error),
        Ok(()) => {
            let passed = pass_a_message(&mut machine, &sender, &receiver);
            // A ROUTER knows the name of whom it dials.
            let addressed = sending != SocketType::Router || !sender_binds;
            let hopeful = addressed && let_pass([sender.options(), receiver.options()]);
            assert!(
                passed || !hopeful,
                "nothing passes from {sending} with {:?} to {receiving} with {:?}",
                changed(sender.options()),
                changed(receiver.options())
            );
        }
    }
    let lingers = [&sender, &receiver].map(|socket| socket.options().linger);
    drop((sender, receiver, context));
    if lingers.iter().all(|linger| matches!(linger, Linger::For(time) if *time <= Duration::from_secs(1))) {
        machine.run_for(Duration::from_secs(10));
        assert_nothing_is_left(&machine);
    }
}

/// A socket with drawn options, if they are accepted.
fn open(context: &Context, kind: SocketType, choices: &mut Choices<'_>) -> Option<Socket> {
    let mut options = Options::default();
    for _ in 0..choices.index(8) {
        draw_one(&mut options, choices);
    }
    let checked = options.validate_for(kind);
    match (context.socket_with(kind, options.clone()), checked) {
        (Ok(socket), Ok(())) => Some(socket),
        (Err(error), Err(told_before)) => {
            assert_eq!(error.to_string(), told_before.to_string());
            let Error::InvalidOption { option, why, .. } = &error else { panic!("{error:?}") };
            assert_is_a_sentence(&error);
            let field = option.rsplit('.').next().unwrap_or(option);
            assert!(format!("{options:?}").contains(&format!("{field}:")), "no option is called {option}");
            assert!(error.to_string().contains(option) && !why.is_empty());
            None
        }
        (opened, checked) => panic!("opened: {opened:?}, checked: {checked:?}"),
    }
}

fn assert_is_a_sentence(error: &Error) {
    let sentence = error.to_string();
    assert!(sentence.contains(' ') && sentence.len() < 2000, "{sentence}");
}

fn connect(dialer: &Socket) -> Result<(), Error> {
    match dialer.socket_type() {
        SocketType::Router => dialer.connect_as(ENDPOINT, b"peer"),
        SocketType::Sub | SocketType::Xsub => dialer.subscribe("").and_then(|()| dialer.connect(ENDPOINT)),
        _ => dialer.connect(ENDPOINT),
    }
}

fn pass_a_message(machine: &mut Simulation, sender: &Socket, receiver: &Socket) -> bool {
    if matches!(receiver.socket_type(), SocketType::Sub | SocketType::Xsub) {
        // Once more does not matter.
        receiver.subscribe("").expect("an empty topic fits every limit");
    }
    for _ in 0..100 {
        let _ = match sender.socket_type() {
            SocketType::Router => sender
                .try_send(vec![b"peer".to_vec(), b"x".to_vec()].into_iter().collect::<serverlink::Message>()),
            _ => sender.try_send(serverlink::Message::from("x")),
        };
        machine.run_for(Duration::from_millis(20));
        if receiver.try_recv().is_ok() {
            return true;
        }
    }
    false
}

/// Whether the options of both leave a message a way. Those that do not say so themselves.
fn let_pass(both: [&Options; 2]) -> bool {
    let is_slow = both.into_iter().any(is_narrow)
        && both.into_iter().any(|options| is_hasty(options) || is_wordy(options));
    // Who says more than the other takes is disconnected, each time anew.
    let says_too_much = |from: &Options, to: &Options| longest_own_word(from) as u64 > to.max_message_bytes;
    let too_much = says_too_much(both[0], both[1]) || says_too_much(both[1], both[0]);
    !is_slow && !too_much && !both.into_iter().any(chooses_peers)
}

fn is_narrow(options: &Options) -> bool {
    let buffers = [options.send_buffer_bytes, options.receive_buffer_bytes];
    buffers.iter().flatten().any(|&bytes| bytes < 1024)
}

fn is_hasty(options: &Options) -> bool {
    options.handshake_timeout < Duration::from_secs(1)
        || options.heartbeat_timeout < Duration::from_secs(1)
        || options.connect_timeout.is_some_and(|time| time < Duration::from_secs(1))
}

/// Whether there is much to say before the message.
fn is_wordy(options: &Options) -> bool {
    let properties = options.metadata.iter().map(|(name, value)| name.len() + value.len());
    properties.chain([longest_own_word(options)]).sum::<usize>() > 1000
}

fn longest_own_word(options: &Options) -> usize {
    options.hello_message.len().max(options.welcome_message.len())
}

fn chooses_peers(options: &Options) -> bool {
    let by_hand = options.xpub_manual || options.xpub_manual_last_value;
    !options.accept_filters.is_empty() || options.invert_matching || by_hand
}

/// What is not as it is by default, for a failure's sentence.
fn changed(options: &Options) -> Vec<String> {
    let (drawn, default) = (format!("{options:#?}"), format!("{:#?}", Options::default()));
    // One octet on a line is not what it is about.
    let is_changed = |line: &&str| line.trim().len() > 5 && !default.lines().any(|usual| usual == *line);
    drawn.lines().filter(is_changed).take(60).map(|line| line.trim().to_owned()).collect()
}

fn draw_one(options: &mut Options, choices: &mut Choices<'_>) {
    match choices.index(60) {
        0 => options.send_hwm = number(choices) as u32,
        1 => options.recv_hwm = number(choices) as u32,
        2 => options.send_hwm_bytes = number(choices),
        3 => options.recv_hwm_bytes = number(choices),
        4 => {
            options.linger =
                choices.of(&[Linger::Forever, Linger::For(Duration::MAX), Linger::For(NANOSECOND)])
        }
        5 => options.linger = Linger::For(time(choices)),
        6 => options.send_timeout = Some(time(choices)),
        7 => options.recv_timeout = Some(time(choices)),
        8 => options.reconnect_interval = time(choices),
        9 => options.reconnect_interval_max = time(choices),
        10 => {
            let ends = choices.byte();
            options.reconnect_stop = ReconnectStop {
                refused: ends & 1 != 0,
                handshake_failed: ends & 2 != 0,
                disconnected: ends & 4 != 0,
            };
        }
        11 => options.connect_timeout = Some(time(choices)),
        12 => options.routing_id = bytes(choices),
        13 => options.backlog = number(choices) as u32,
        14 => options.max_connections = number(choices) as u32,
        15 => options.accept_filters.push(filter(choices)),
        16 => options.ipv6 = true,
        17 => options.immediate = true,
        18 => options.conflate = true,
        19 => options.max_message_bytes = number(choices),
        20 => options.handshake_timeout = time(choices),
        21 => options.heartbeat_interval = time(choices),
        22 => options.heartbeat_timeout = time(choices),
        23 => options.heartbeat_ttl = time(choices),
        24 => options.send_buffer_bytes = Some(number(choices) as usize),
        25 => options.receive_buffer_bytes = Some(number(choices) as usize),
        26 => options.tcp.keepalive = Some(choices.once_in(2)),
        27 => options.tcp.keepalive_idle = Some(time(choices)),
        28 => options.tcp.keepalive_interval = Some(time(choices)),
        29 => options.tcp.keepalive_count = Some(number(choices) as u32),
        30 => options.tcp.user_timeout = Some(time(choices)),
        31 => options.tcp.type_of_service = Some(choices.byte()),
        32 => options.tcp.priority = Some(number(choices) as u32),
        33 => options.tcp.device = Some(text(choices)),
        34 => options.tcp.busy_poll = Some(time(choices)),
        35 => options.affinity = number(choices),
        36..39 => options.metadata.push((property(choices), bytes(choices))),
        39 => options.hello_message = bytes(choices),
        40 => options.disconnect_message = bytes(choices),
        41 => options.hiccup_message = bytes(choices),
        42 => options.welcome_message = bytes(choices),
        43 => options.max_subscriptions = number(choices) as u32,
        44 => options.max_subscription_bytes = number(choices),
        45 => options.socks_username = bytes(choices),
        46 => options.socks_password = bytes(choices).into(),
        _ => raise_a_flag(options, choices),
    }
}

fn raise_a_flag(options: &mut Options, choices: &mut Choices<'_>) {
    let flags = [
        &mut options.router_mandatory,
        &mut options.router_handover,
        &mut options.router_notify_connect,
        &mut options.router_notify_disconnect,
        &mut options.probe_router,
        &mut options.req_correlate,
        &mut options.req_relaxed,
        &mut options.invert_matching,
        &mut options.xpub_verbose,
        &mut options.xpub_verboser,
        &mut options.xpub_manual,
        &mut options.xpub_manual_last_value,
        &mut options.xpub_no_drop,
        &mut options.only_first_subscribe,
        &mut options.glob_messages,
        &mut options.xsub_verbose_unsubscribe,
    ];
    let chosen = choices.index(flags.len());
    if let Some(flag) = flags.into_iter().nth(chosen) {
        *flag = true;
    }
}

/// Mostly the ends of ranges and what lies beyond.
fn number(choices: &mut Choices<'_>) -> u64 {
    match choices.index(16) {
        0 => choices.word(),
        1 => u64::from(choices.byte()),
        2 => 0,
        3 => u64::MAX,
        4 => i64::MAX as u64,
        5 => 1 << 63,
        6 => u64::from(u32::MAX),
        7 => i32::MAX as u64,
        8 => 1 << 31,
        9 => 65_535,
        10 => 65_536,
        _ => 1 + choices.index(3) as u64,
    }
}

fn time(choices: &mut Choices<'_>) -> Duration {
    match choices.index(16) {
        0 => Duration::from_nanos(choices.word()),
        1 => Duration::from_millis(u64::from(choices.byte())),
        2 => Duration::ZERO,
        3 => Duration::MAX,
        4 => NANOSECOND,
        5 => Duration::from_micros(999),
        6 => Duration::from_millis(1),
        7 => HOUR,
        8 => HOUR + NANOSECOND,
        9 => Duration::from_millis(6_553_500),
        10 => Duration::from_millis(6_553_501),
        11 => 24 * HOUR,
        12 => 9 * HOUR,
        13 => Duration::from_secs(u64::MAX),
        _ => Duration::from_secs(1 + choices.index(30) as u64),
    }
}

/// Up to and beyond every limit in bytes.
fn bytes(choices: &mut Choices<'_>) -> Vec<u8> {
    let size = choices.of(&[0, 1, 2, 5, 254, 255, 256, 16_383, 65_536, 65_537]);
    let first = choices.byte();
    let mut bytes = vec![first; size];
    bytes.iter_mut().zip(choices.take(8)).for_each(|(to, from)| *to = *from);
    bytes
}

fn text(choices: &mut Choices<'_>) -> String {
    String::from_utf8_lossy(&bytes(choices)).into_owned()
}

fn property(choices: &mut Choices<'_>) -> String {
    match choices.index(4) {
        0 => text(choices),
        1 => format!("X-{}", "n".repeat(choices.of(&[0, 1, 253, 254]))),
        2 => format!("x-serverlink-{}", choices.byte()),
        _ => format!("X-{}", choices.byte()),
    }
}

fn filter(choices: &mut Choices<'_>) -> AcceptFilter {
    match choices.index(4) {
        0 => AcceptFilter::User(number(choices) as u32),
        1 => AcceptFilter::Process(number(choices) as u32),
        _ => AcceptFilter::Network {
            address: [choices.byte(), 0, 0, choices.byte()].into(),
            prefix: choices.byte(),
        },
    }
}
