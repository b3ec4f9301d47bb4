//! On which processors a thread runs.

use std::io;

/// Lets the calling thread run on these processors alone, counted from 0. Linux.
///
/// # Errors
/// `Unsupported` on other systems; otherwise none of them is there for this process.
pub fn pin_thread(processors: &[usize]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let mut set = rustix::thread::CpuSet::new();
        let known = processors.iter().filter(|processor| **processor < rustix::thread::CpuSet::MAX_CPU);
        known.for_each(|processor| set.set(*processor));
        Ok(rustix::thread::sched_setaffinity(None, &set)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let why = processors.first().and_then(|processor| why_not_processor(*processor));
        Err(io::Error::new(io::ErrorKind::Unsupported, why.unwrap_or_default()))
    }
}

/// Why a thread of this process cannot run on this processor, as half a sentence; `None`: it can.
pub fn why_not_processor(processor: usize) -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        let allowed = rustix::thread::sched_getaffinity(None).ok()?;
        let is_there = processor < rustix::thread::CpuSet::MAX_CPU && allowed.is_set(processor);
        (!is_there).then(|| format!("this process may not run on processor {processor}; see `taskset -p`"))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = processor;
        Some(format!("{} does not let threads choose a processor", std::env::consts::OS))
    }
}
