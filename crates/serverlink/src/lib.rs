//! ServerLink links servers: the socket patterns of ZeroMQ on the ZMTP 3.1 wire, without a broker.
#![forbid(unsafe_code)]

mod connection;
mod context;
mod endpoint;
mod env;
mod error;
mod io_thread;
mod limits;
mod monitor;
mod options;
mod payload;
mod pipe;
mod reactor;
mod resolve;
pub mod sim;
mod socket;
mod stats;
mod sync;
mod typed;

pub use context::{Context, ContextBuilder};
pub use endpoint::{Endpoint, Host, Port};
pub use error::{Error, SendError};
pub use monitor::{EventKind, Monitor};
pub use options::{Linger, Options};
pub use payload::Payload;
pub use serverlink_driver::Kind as DriverKind;
pub use serverlink_message::{Message, Part, SocketType};
pub use socket::{CloseReport, Readiness, RecvFuture, SendFuture, Socket};
pub use stats::Stats;
pub use typed::*;
