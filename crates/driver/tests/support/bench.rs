//! A simulated machine with one driver and one listener, for what only a simulation can show.

#![allow(dead_code, reason = "each test file uses what it needs")]

use serverlink_driver::sim::World;
use serverlink_driver::{
    Address, Driver, Event, Events, ListenOptions, Listener, OsStream, Remote, Stream, StreamOptions,
};

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) driver: Driver,
    pub(crate) remote: Remote,
    pub(crate) listener: Listener,
}

impl Bench {
    pub(crate) fn new(world: World) -> Bench {
        let driver = world.driver();
        let remote = driver.remote();
        let address = Address::Tcp("127.0.0.1:0".parse().expect("an address"));
        let listener = remote.bind(&address, &ListenOptions::default()).expect("a free address");
        let listener = remote.listen(listener).expect("a first registration");
        Bench { world, driver, remote, listener }
    }

    pub(crate) fn taken(&mut self) -> Vec<Event> {
        let mut events = Events::new();
        self.driver.wait(&mut events, None).expect("it cannot fail");
        events.collect()
    }

    /// Lets everything happen that will.
    pub(crate) fn settle(&mut self) -> Vec<Event> {
        let mut all = Vec::new();
        loop {
            let taken = self.taken();
            match self.world.next_due() {
                Some(due) => self.world.advance_to(due),
                // One wait need not take all there is.
                None if taken.is_empty() => return all,
                None => {}
            }
            all.extend(taken);
        }
    }

    pub(crate) fn connect(&mut self, options: &StreamOptions) -> (Stream, OsStream) {
        let client = self.remote.connect(&self.listener.local_address(), options).expect("an attempt");
        self.settle();
        self.listener.rearm();
        (client, self.listener.accept().expect("descriptors enough").expect("it was announced").0)
    }

    pub(crate) fn pair(&mut self) -> (Stream, Stream) {
        self.pair_with(&StreamOptions::default())
    }

    /// A connection whose client's kernel takes so many bytes.
    pub(crate) fn narrow_pair(&mut self, send_buffer: usize) -> (Stream, Stream) {
        self.pair_with(&StreamOptions { send_buffer: Some(send_buffer), ..StreamOptions::default() })
    }

    fn pair_with(&mut self, options: &StreamOptions) -> (Stream, Stream) {
        let (client, accepted) = self.connect(options);
        (client, self.remote.adopt(accepted).expect("a first registration"))
    }
}

pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}
