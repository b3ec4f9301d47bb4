//! A subscription to another program's stats endpoint.

use std::time::{Duration, Instant};

use serverlink::{Context, Error, Message, Subscriber};

use crate::exit::{Exit, Failure};
use crate::patient::patiently;

/// What an endpoint publishes; see `docs/stats.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Stats,
    Prometheus,
    Event,
}

/// See the module's page.
pub(crate) struct Feed {
    socket: Subscriber,
    endpoint: String,
}

impl Topic {
    fn as_str(self) -> &'static str {
        match self {
            Topic::Stats => "stats",
            Topic::Prometheus => "prometheus",
            Topic::Event => "event",
        }
    }
}

impl Feed {
    pub(crate) fn open(endpoint: &str, topic: Topic) -> Result<Feed, Failure> {
        let socket = Context::new()?.subscriber().ipv6(true).open()?;
        socket.subscribe(topic.as_str())?;
        socket.connect(endpoint)?;
        Ok(Feed { socket, endpoint: endpoint.to_owned() })
    }

    /// The next publication; waits for it, at most for `timeout`.
    pub(crate) fn next(&self, timeout: Option<Duration>) -> Result<Vec<u8>, Failure> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let message = patiently(|| match deadline {
            Some(at) => self.socket.recv_deadline(at),
            None => self.socket.recv(),
        });
        match message {
            Ok(message) => Ok(body(&message)),
            Err(Error::TimedOut) => {
                let endpoint = &self.endpoint;
                let sentence = format!(
                    "nothing came from {endpoint} in time; is a stats endpoint open there? See --timeout"
                );
                Err(Failure::new(Exit::TimedOut, sentence))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A publication that is here.
    pub(crate) fn try_next(&self) -> Result<Option<Vec<u8>>, Failure> {
        match patiently(|| self.socket.try_recv()) {
            Ok(message) => Ok(Some(body(&message))),
            Err(Error::WouldBlock) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.socket.stats().peers > 0
    }
}

fn body(message: &Message) -> Vec<u8> {
    message.iter().nth(1).map(|part| part.to_vec()).unwrap_or_default()
}
