//! The server processes, from start to end.

use std::env;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Args, SERVERS, server_name};
use crate::exit::{Exit, Failure};

/// Running servers. Those that still run when this is dropped are killed.
pub(super) struct Servers {
    children: Vec<Child>,
}

impl Servers {
    /// Starts this very program once for each server.
    pub(super) fn start(args: &Args, total: u64, orders: &str, reports: &str) -> Result<Servers, Failure> {
        let program = env::current_exe().map_err(|why| Failure::of("finding this program again", why))?;
        let mut servers = Servers { children: Vec::new() };
        for index in 0..SERVERS {
            let mut command = Command::new(&program);
            command.args([
                "demo-server",
                "--orders",
                orders,
                "--reports",
                reports,
                "--index",
                &index.to_string(),
            ]);
            command.args(["--lines", &total.to_string(), "--unplug", &args.unplug.to_string()]);
            if let Some(path) = &args.input {
                command.arg("--input").arg(path);
            }
            // A server exits when its standard input ends, so that none outlives the director.
            let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
            servers.children.push(child.map_err(|why| Failure::of("starting a server", why))?);
        }
        Ok(servers)
    }

    /// Fails if a server has ended already. It has said why on standard error.
    pub(super) fn check_alive(&mut self) -> Result<(), Failure> {
        for (index, child) in self.children.iter_mut().enumerate() {
            if let Some(status) = waited(child.try_wait())? {
                return Err(ended(index, status));
            }
        }
        Ok(())
    }

    /// Waits until all servers have gone home.
    pub(super) fn wait(mut self, within: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + within;
        for (index, child) in self.children.iter_mut().enumerate() {
            match wait_until(child, deadline)? {
                Some(status) if status.success() => {}
                Some(status) => return Err(ended(index, status)),
                None => {
                    let sentence = format!("{} did not end when it was told to", server_name(index));
                    return Err(Failure::new(Exit::Failed, sentence));
                }
            }
        }
        Ok(())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Neither can fail for a child that ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The standard library waits for a child for ever or not at all.
fn wait_until(child: &mut Child, deadline: Instant) -> Result<Option<ExitStatus>, Failure> {
    const PAUSE: Duration = Duration::from_millis(5);
    loop {
        let status = waited(child.try_wait())?;
        if status.is_some() || Instant::now() >= deadline {
            return Ok(status);
        }
        thread::sleep(PAUSE);
    }
}

fn waited<T>(result: std::io::Result<T>) -> Result<T, Failure> {
    result.map_err(|why| Failure::of("waiting for a server", why))
}

fn ended(index: usize, status: ExitStatus) -> Failure {
    Failure::new(Exit::Failed, format!("demo: {} ended early, with {status}", server_name(index)))
}
