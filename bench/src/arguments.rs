//! What a measured process is told when it starts: `key=value` words, and the endpoints to connect to.

use std::{fmt::Display, str::FromStr};

use crate::Error;

/// The arguments of a role.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    pub(crate) fn new() -> Arguments {
        Arguments::default()
    }

    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Arguments {
        Arguments(words.collect())
    }

    /// Adds `key=value`.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: impl Display) -> Arguments {
        self.0.push(format!("{key}={value}"));
        self
    }

    /// Adds endpoints to connect to.
    #[must_use]
    pub(crate) fn with_endpoints(self, endpoints: &[String]) -> Arguments {
        endpoints.iter().fold(self, |arguments, endpoint| arguments.with("endpoint", endpoint))
    }

    /// These, and others after them.
    #[must_use]
    pub(crate) fn and(mut self, others: Arguments) -> Arguments {
        self.0.extend(others.0);
        self
    }

    pub(crate) fn words(&self) -> &[String] {
        &self.0
    }

    /// The endpoints, in the order in which they were given.
    pub(crate) fn endpoints(&self) -> Vec<String> {
        self.values("endpoint").map(str::to_owned).collect()
    }

    /// What was given for the key, or what it is if nothing was.
    pub(crate) fn get<T: FromStr>(&self, key: &str, otherwise: T) -> Result<T, Error> {
        match self.values(key).next_back() {
            None => Ok(otherwise),
            Some(value) => value.parse().map_err(|_| unfit(key, value)),
        }
    }

    /// What was given for a key that the role cannot do without.
    pub(crate) fn need<T: FromStr>(&self, key: &str) -> Result<T, Error> {
        let value = self.values(key).next_back().ok_or_else(|| unfit(key, "nothing"))?;
        value.parse().map_err(|_| unfit(key, value))
    }

    fn values<'a>(&'a self, key: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.0
            .iter()
            .filter_map(move |word| word.split_once('=').filter(|(name, _)| *name == key))
            .map(|(_, value)| value)
    }
}

fn unfit(key: &str, value: &str) -> Error {
    Error::child("measured", format!("was started with {value} for {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_found_again() {
        let given =
            Arguments::new().with("bytes", 64).with_endpoints(&["ipc:///tmp/a=b".into(), "tcp://x:1".into()]);
        let read = Arguments::parse(given.words().iter().cloned());
        assert_eq!(read.need::<usize>("bytes").unwrap(), 64);
        assert_eq!(read.endpoints(), ["ipc:///tmp/a=b", "tcp://x:1"]);
        assert_eq!(read.get("count", 7_u64).unwrap(), 7);
        assert!(read.need::<u64>("count").is_err());
        assert!(read.need::<bool>("bytes").is_err());
    }
}
