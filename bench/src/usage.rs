//! What a process has used so far: CPU seconds and context switches.

use std::time::Duration;

/// CPU time of this process, all threads, user and system.
#[cfg(unix)]
pub(crate) fn cpu_time() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes one rusage through this pointer during the call, on this thread;
    // the local outlives the call.
    let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    assert_eq!(result, 0, "getrusage of ourselves takes no argument that could be wrong");
    // SAFETY: all zeroes is a valid rusage, and the successful call filled it.
    let usage = unsafe { usage.assume_init() };
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

#[cfg(unix)]
fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}

/// Not measured on this system: zero, so that the column stays empty-handed and not wrong by guess.
#[cfg(not(unix))]
pub(crate) fn cpu_time() -> Duration {
    Duration::ZERO
}

/// Memory of this process that is in the machine's memory now. Zero where there is no `/proc`.
pub(crate) fn resident_bytes() -> u64 {
    std::fs::read_to_string("/proc/self/status").map_or(0, |status| kilobytes_in(&status, "VmRSS") * 1024)
}

fn kilobytes_in(status: &str, name: &str) -> u64 {
    status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| *found == name)
        .and_then(|(_, value)| value.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Voluntary context switches (a thread went to sleep) of every thread but the calling process's main thread, which only talks to
/// the measuring process. Zero where there is no `/proc`.
pub(crate) fn context_switches() -> u64 {
    let main_thread = std::process::id().to_string();
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    tasks
        .flatten()
        .filter(|task| task.file_name().to_string_lossy() != main_thread)
        .filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok())
        .map(|status| switches_in(&status))
        .sum()
}

fn switches_in(status: &str) -> u64 {
    status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| *name == "voluntary_ctxt_switches")
        .filter_map(|(_, count)| count.trim().parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_going_to_sleep_and_not_being_sent_away() {
        let status =
            "Name:\tx\nVmRSS:\t  1234 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t5\n";
        assert_eq!(switches_in(status), 7);
        assert_eq!(kilobytes_in(status, "VmRSS"), 1234);
    }

    #[cfg(unix)]
    #[test]
    fn work_takes_cpu_time() {
        let before = cpu_time();
        let mut sum = 0_u64;
        while cpu_time() == before {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(cpu_time() > before);
    }
}
