//! The table of legal pairs, and names.

use serverlink_message::SocketType::{self, *};

/// Each legal pair once, as RFC 28 to 31, 41, 48, 49, 51 and 52 give them.
const LEGAL: [(SocketType, SocketType); 17] = [
    (Req, Rep),
    (Req, Router),
    (Dealer, Rep),
    (Dealer, Dealer),
    (Dealer, Router),
    (Router, Router),
    (Pub, Sub),
    (Pub, Xsub),
    (Xpub, Sub),
    (Xpub, Xsub),
    (Push, Pull),
    (Pair, Pair),
    (Client, Server),
    (Radio, Dish),
    (Scatter, Gather),
    (Peer, Peer),
    (Channel, Channel),
];

#[test]
fn exactly_the_legal_pairs_accept_each_other() {
    for a in SocketType::ALL {
        for b in SocketType::ALL {
            let legal = LEGAL.contains(&(a, b)) || LEGAL.contains(&(b, a));
            assert_eq!(a.accepts(b), legal, "{a} and {b}");
        }
    }
}

#[test]
fn of_a_legal_pair_one_can_send_what_the_other_receives() {
    for (a, b) in LEGAL {
        assert!(a.can_send() && b.can_receive() || b.can_send() && a.can_receive(), "{a} and {b}");
    }
    let one_way: Vec<_> = SocketType::ALL.into_iter().filter(|t| t.can_send() != t.can_receive()).collect();
    assert_eq!(one_way, [Pub, Sub, Pull, Push, Radio, Dish, Gather, Scatter]);
}

#[test]
fn names_read_back_in_any_case() {
    for socket_type in SocketType::ALL {
        assert_eq!(socket_type.to_string().parse(), Ok(socket_type));
        assert_eq!(socket_type.as_str().to_lowercase().parse(), Ok(socket_type));
    }
    let names: std::collections::BTreeSet<_> = SocketType::ALL.map(SocketType::as_str).into();
    assert_eq!(names.len(), SocketType::ALL.len());
}

#[test]
fn an_unknown_name_is_told_with_the_names_there_are() {
    let error = "DATAGRAM".parse::<SocketType>().unwrap_err().to_string();
    assert!(error.contains("\"DATAGRAM\""), "{error}");
    for socket_type in SocketType::ALL {
        assert!(error.contains(socket_type.as_str()), "{error}");
    }
    let long = "x".repeat(100_000).parse::<SocketType>().unwrap_err().to_string();
    assert!(long.len() < 300, "a name from a peer is cut");
    assert!("".parse::<SocketType>().is_err());
    assert!("REQ ".parse::<SocketType>().is_err());
}

#[test]
fn those_with_an_address_have_one_part_behind_it() {
    for socket_type in SocketType::ALL {
        assert!(!socket_type.has_address() || socket_type.has_single_part(), "{socket_type}");
        let classic = LEGAL[..12].iter().any(|&(a, b)| socket_type == a || socket_type == b);
        assert_eq!(socket_type.has_single_part(), !classic, "{socket_type}");
    }
}
