//! Every order in which threads meet at a biased lock. Run them as `.ci/run` does: `--cfg loom`, optimised.
//!
//! Loom has no barrier of one side; both are whole ones here. That a light one is enough beside a heavy one is what `membarrier`
//! promises.

use loom::sync::Arc;
use loom::thread;

use super::*;

/// With as many switches as there are steps at which something could go wrong; without a bound two that take turns never come to an end.
fn model(threads: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(threads);
}

fn add(mut guard: BiasedGuard<'_, u32>) {
    *guard += 1;
}

#[test]
fn a_favourite_and_another() {
    model(|| {
        let lock = Arc::new(BiasedLock::new(0));
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || add(lock.lock()))
        };
        for _ in 0..3 {
            add(lock.lock_often());
        }
        other.join().unwrap();
        assert_eq!(*lock.lock(), 4);
    });
}

#[test]
fn two_that_would_be_favourites() {
    model(|| {
        let lock = Arc::new(BiasedLock::new(0));
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                add(lock.lock_often());
                add(lock.lock_often());
            })
        };
        add(lock.lock_often());
        add(lock.lock_often());
        other.join().unwrap();
        assert_eq!(*lock.lock(), 4);
    });
}

/// One loses its favour on its way in, and the other gets it and is inside when the first goes on.
#[test]
fn the_favour_goes_to_another() {
    model(|| {
        let lock = Arc::new(BiasedLock::new(0));
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || (0..4).for_each(|_| add(lock.lock_often())))
        };
        (0..4).for_each(|_| add(lock.lock_often()));
        other.join().unwrap();
        assert_eq!(*lock.lock(), 8);
    });
}

/// What a door leads to: looked at from inside, taken away by the one who ends it.
struct Room {
    door: Door,
    value: UnsafeCell<Option<u32>>,
    ending: Mutex<u32>,
}

// SAFETY: the models are there to show that nobody looks while it is taken away.
unsafe impl Sync for Room {}

impl Room {
    fn new() -> Arc<Room> {
        let room = Room { door: Door::new(), value: UnsafeCell::new(Some(7)), ending: Mutex::new(0) };
        room.door.open();
        Arc::new(room)
    }

    fn look(&self) {
        match self.door.enter() {
            Ok(visit) => {
                // SAFETY: nobody takes it away while somebody is inside.
                assert_eq!(self.value.with(|value| unsafe { *value }), Some(7));
                self.after(self.door.leave(visit));
            }
            Err(left) => self.after(left),
        }
    }

    fn close(&self) {
        match self.door.enter() {
            Ok(visit) => {
                self.door.shut();
                self.after(self.door.leave(visit));
            }
            Err(left) => self.after(left),
        }
    }

    fn after(&self, left: Left) {
        if left == Left::Shut {
            let mut ended = self.ending.lock().unwrap();
            if self.door.end() {
                // SAFETY: nobody is inside any more.
                self.value.with_mut(|value| unsafe { *value = None });
                *ended += 1;
            }
        }
    }

    fn check(&self) {
        assert_eq!(*self.ending.lock().unwrap(), 1, "it ends once, and it does end");
    }
}

#[test]
fn a_door_is_shut_while_its_favourite_comes_and_goes() {
    model(|| {
        let room = Room::new();
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || (0..3).for_each(|_| room.look()))
        };
        room.close();
        other.join().unwrap();
        room.check();
    });
}

#[test]
fn a_door_is_shut_by_its_favourite() {
    model(|| {
        let room = Room::new();
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || (0..2).for_each(|_| room.look()))
        };
        room.look();
        room.look();
        room.close();
        other.join().unwrap();
        room.check();
    });
}

#[test]
fn of_two_that_shut_a_door_one_does() {
    model(|| {
        let room = Room::new();
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || {
                room.look();
                room.close();
            })
        };
        room.look();
        room.close();
        other.join().unwrap();
        room.check();
    });
}
