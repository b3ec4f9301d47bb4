//! What the system says of this process's memory.

/// How much of it is resident. Zero where the system does not tell: everywhere but on Linux.
pub(crate) fn resident_bytes() -> usize {
    if !cfg!(target_os = "linux") {
        return 0;
    }
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells it");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("the second field counts pages") * 4096
}
