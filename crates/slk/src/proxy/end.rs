//! One end as people write it: `router@tcp://*:5555`.

use std::str::FromStr;

use serverlink::SocketType;

use crate::exit::{Exit, Failure};

/// A type and an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) socket_type: SocketType,
    pub(super) endpoint: String,
    /// Otherwise it binds.
    pub(super) connects: bool,
}

impl FromStr for End {
    type Err = String;

    fn from_str(text: &str) -> Result<End, String> {
        let (name, place) = text.split_once('@').ok_or_else(|| {
            format!("`{text}` names no type; write router@tcp://*:5555 or xsub@connect:tcp://feed:5556")
        })?;
        let socket_type = name.parse::<SocketType>().map_err(|unknown| unknown.to_string())?;
        let (endpoint, connects) = match (place.strip_prefix("connect:"), place.strip_prefix("bind:")) {
            (Some(endpoint), _) => (endpoint, true),
            (None, endpoint) => (endpoint.unwrap_or(place), false),
        };
        Ok(End { socket_type, endpoint: endpoint.to_owned(), connects })
    }
}

/// One socket has one type.
pub(super) fn common_type(ends: &[End]) -> Result<SocketType, Failure> {
    let first = ends.first().expect("the command line requires one").socket_type;
    match ends.iter().find(|end| end.socket_type != first) {
        None => Ok(first),
        Some(other) => {
            let sentence = format!(
                "one side of a proxy is one socket: it cannot be {first} and {}; give all its endpoints the same type",
                other.socket_type
            );
            Err(Failure::new(Exit::Failed, sentence))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_binds_unless_it_says_that_it_connects() {
        let end = |text: &str| text.parse::<End>().map(|end| (end.socket_type, end.endpoint, end.connects));
        let expected = |endpoint: &str, connects| Ok((SocketType::Router, endpoint.to_owned(), connects));
        assert_eq!(end("router@tcp://*:5555"), expected("tcp://*:5555", false));
        assert_eq!(end("ROUTER@bind:ipc:///a@b"), expected("ipc:///a@b", false));
        assert_eq!(end("router@connect:tcp://h:1"), expected("tcp://h:1", true));
        assert!(end("tcp://*:5555").is_err_and(|why| why.contains("router@")));
        assert!(end("rooter@tcp://*:5555").is_err_and(|why| why.contains("ROUTER")));
    }

    #[test]
    fn a_side_has_one_type() {
        let ends = |texts: [&str; 2]| texts.map(|text| text.parse().expect("an end"));
        assert_eq!(common_type(&ends(["pull@a", "pull@b"])).expect("one type"), SocketType::Pull);
        assert!(common_type(&ends(["pull@a", "router@b"])).is_err_and(|why| why.sentence.contains("ROUTER")));
    }
}
