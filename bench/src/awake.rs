//! Idle-priority spinners that keep every core from halting.
//!
//! A core that halts takes tens of microseconds to come back, which hides what a library itself
//! costs. On a machine with other work the cores stay awake anyway.

use crate::{Error, arguments::Arguments, child::Child};

/// One spinner process per core, until dropped.
pub(crate) struct Spinners(#[allow(dead_code, reason = "dropping ends them")] Vec<Child>);

impl Spinners {
    pub(crate) fn start() -> Result<Spinners, Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (0..cores)
            .map(|_| Child::start_own("spin", &Arguments::new()))
            .collect::<Result<_, _>>()
            .map(Spinners)
    }
}

/// The spinner's process: runs only when a core has nothing else to do.
pub(crate) fn spin() -> Result<(), Error> {
    lower_priority()?;
    std::thread::spawn(|| {
        loop {
            std::hint::spin_loop();
        }
    });
    crate::roles::wait_for_end_of_input();
    Ok(())
}

#[cfg(target_os = "linux")]
fn lower_priority() -> Result<(), Error> {
    // SAFETY: all zeroes is a valid sched_param.
    let parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel reads the parameters during the call only; the local outlives it.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters) } {
        0 => Ok(()),
        _ => Err(Error::io("lowering the spinner's priority")(std::io::Error::last_os_error())),
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() -> Result<(), Error> {
    Err(Error::NotMeasurable("keeping cores awake needs Linux's idle scheduling class".into()))
}
