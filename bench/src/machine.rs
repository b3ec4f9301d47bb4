//! The line that says where figures come from.

use std::{fmt, fs};

use crate::peers::libzmq;

#[derive(Clone, Debug)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
    congestion_control: String,
    cores_may_halt: bool,
    libzmq: Option<String>,
}

impl Machine {
    pub(crate) fn this(keep_awake: bool) -> Machine {
        Machine {
            processor: processor(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: first_line("/proc/sys/kernel/osrelease"),
            congestion_control: first_line("/proc/sys/net/ipv4/tcp_congestion_control"),
            cores_may_halt: !keep_awake && !first_line("/proc/cmdline").contains("idle=poll"),
            libzmq: libzmq::version(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} cores, {} {}, tcp {}, cores {}, serverlink {}, libzmq {}",
            self.processor,
            self.cores,
            std::env::consts::OS,
            self.kernel,
            if self.congestion_control.is_empty() { "as it is" } else { &self.congestion_control },
            if self.cores_may_halt { "may halt" } else { "stay awake" },
            env!("CARGO_PKG_VERSION"),
            self.libzmq.as_deref().unwrap_or("not installed"),
        )?;
        if cfg!(debug_assertions) {
            f.write_str("; UNOPTIMISED BUILD: use --release")?;
        }
        Ok(())
    }
}

fn processor() -> String {
    fs::read_to_string("/proc/cpuinfo")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}
