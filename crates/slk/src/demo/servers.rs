//! The server processes, from start to end.

use std::env;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Args, SERVERS, server_name};
use crate::exit::{Exit, Failure};

/// Running servers. Those that still run when this is dropped are killed.
pub(super) struct Servers {
    children: Vec<Child>,
    program: PathBuf,
    /// What every server is told.
    common: Vec<String>,
    /// What must outlive a server.
    state: TempDir,
    /// Where the first server can be followed.
    stats: Option<String>,
}

impl Servers {
    /// Starts this very program once for each server.
    pub(super) fn start(args: &Args, total: u64, orders: &str, reports: &str) -> Result<Servers, Failure> {
        let program = env::current_exe().map_err(|why| Failure::of("finding this program again", why))?;
        let state = TempDir::new().map_err(|why| Failure::of("making a directory for the servers", why))?;
        let numbers = [total, args.unplug, args.restarts].map(|number| number.to_string());
        let [total, unplug, restarts] = &numbers;
        let common = [
            ["--orders", orders],
            ["--reports", reports],
            ["--lines", total],
            ["--unplug", unplug],
            ["--restarts", restarts],
        ];
        let mut common: Vec<String> = common.as_flattened().iter().map(|&word| word.to_owned()).collect();
        if let Some(path) = &args.input {
            common.extend(["--input".to_owned(), path.display().to_string()]);
        }
        let mut servers = Servers { children: Vec::new(), program, common, state, stats: args.stats.clone() };
        for index in 0..SERVERS {
            let child = servers.spawn(index, 0, &[])?;
            servers.children.push(child);
        }
        Ok(servers)
    }

    fn spawn(&self, index: usize, life: u64, roster: &[String]) -> Result<Child, Failure> {
        let mut command = Command::new(&self.program);
        command.arg("demo-server").args(&self.common).arg("--state").arg(self.state.path());
        command.args(["--index", &index.to_string(), "--life", &life.to_string()]);
        if let (0, Some(endpoint)) = (index, &self.stats) {
            command.args(["--stats", endpoint]);
        }
        if !roster.is_empty() {
            command.arg("--roster").args(roster);
        }
        // A server exits when its standard input ends, so that none outlives the director.
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        child.map_err(|why| Failure::of("starting a server", why))
    }

    /// Kills a server in the middle of its work, and starts it again where it was.
    pub(super) fn restart(&mut self, index: usize, life: u64, roster: &[String]) -> Result<(), Failure> {
        let child = &mut self.children[index];
        waited(child.kill().and_then(|()| child.wait()))?;
        self.children[index] = self.spawn(index, life, roster)?;
        Ok(())
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

    /// Waits until all servers have gone home, for which they have to be told: `tell` is called again and again, because who has only
    /// just subscribed has not heard it.
    pub(super) fn send_home(
        mut self,
        within: Duration,
        tell: impl Fn() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        const AGAIN: Duration = Duration::from_millis(100);
        let deadline = Instant::now() + within;
        for (index, child) in self.children.iter_mut().enumerate() {
            let status = loop {
                tell()?;
                match wait_until(child, Instant::now() + AGAIN)? {
                    Some(status) => break status,
                    None if Instant::now() < deadline => {}
                    None => {
                        let sentence = format!("{} did not end when it was told to", server_name(index));
                        return Err(Failure::new(Exit::Failed, sentence));
                    }
                }
            };
            if !status.success() {
                return Err(ended(index, status));
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
