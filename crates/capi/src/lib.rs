//! What the C interfaces of ServerLink share: `libzmq` and `libserverlink` are thin layers of names, numbers and documented layouts on this crate.
//!
//! | Modules | |
//! |---|---|
//! | [`table`], [`guard`], [`mod@errno`], [`system_error`] | handles that are recognised, the border that no unwind crosses, and codes |
//! | [`context`], [`socket`], [`message`] | the three things that programs hold |
//! | [`poll`], [`poller`], [`proxy`], [`wait`], [`bell`] | waiting, ended by signals |
//! | [`timers`], [`utility`] | what else C programs are given |
//!
//! Each call enters a handle, which keeps what it stands for alive until the call leaves; closing shuts the handle and waits for nobody. Foreign
//! functions (free functions, timers, threads) run without a lock of this crate.

pub mod bell;
pub mod context;
pub mod errno;
pub mod guard;
pub mod message;
pub mod poll;
pub mod poller;
pub mod proxy;
pub mod socket;
pub mod system_error;
pub mod table;
pub mod timers;
pub mod utility;
pub mod wait;

pub use serverlink::security::{SecretKey, generate_keys, z85};
