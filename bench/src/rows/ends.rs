//! The processes of one measurement: started, watched between `mark` and `stop`, ended.

use std::{thread::sleep, time::Duration};

use crate::{
    Error, Peer, Setup,
    arguments::Arguments,
    child::{Child, PATIENCE},
    load::Measured,
};

/// The processes of one measurement; what they leave in the file system goes with them.
pub(super) struct Ends {
    pub(super) processes: Vec<Child>,
    endpoints: Vec<String>,
}

impl Ends {
    /// Everything in one process.
    pub(super) fn one(peer: Peer, role: &str, setup: &Setup, arguments: Arguments) -> Result<Ends, Error> {
        let both = Child::start(peer, role, setup, arguments)?;
        both.endpoints()?;
        Ok(Ends { processes: vec![both], endpoints: Vec::new() })
    }

    /// A bound end in the role `bound`, and one that connects to it in the role `connected`.
    pub(super) fn two(
        peer: Peer,
        setup: &Setup,
        bound: (&str, Arguments),
        connected: (&str, Arguments),
    ) -> Result<Ends, Error> {
        let server = Child::start(peer, bound.0, setup, bound.1)?;
        let endpoints = server.endpoints()?;
        let mut ends = Ends { processes: vec![server], endpoints };
        let client = Child::start(peer, connected.0, setup, connected.1.with_endpoints(&ends.endpoints))?;
        client.endpoints()?;
        ends.processes.push(client);
        Ok(ends)
    }

    /// A bound end alone; others are [added](Ends::add).
    pub(super) fn server(peer: Peer, role: &str, setup: &Setup, arguments: Arguments) -> Result<Ends, Error> {
        let server = Child::start(peer, role, setup, arguments)?;
        let endpoints = server.endpoints()?;
        Ok(Ends { processes: vec![server], endpoints })
    }

    /// One more process, which no competitor plays, told where the server is.
    pub(super) fn add(&mut self, role: &str, arguments: Arguments) -> Result<(), Error> {
        let child = Child::start_own(role, &arguments.with_endpoints(&self.endpoints))?;
        child.endpoints().map_err(|error| self.blamed(error))?;
        self.processes.push(child);
        Ok(())
    }

    /// A command to the process that was started last.
    pub(super) fn say_to_last(&mut self, command: &str) -> Result<(), Error> {
        self.processes.last_mut().map_or(Ok(()), |last| last.say(command))
    }

    /// As [`watch_each`](Ends::watch_each), added up, for rows in which messages must have moved. Messages and latencies come
    /// from the one end that counts them.
    pub(super) fn watch(&mut self, warm_up: Duration, measure: Duration) -> Result<Measured, Error> {
        let each = self.watch_each(warm_up, measure)?;
        let both = each.into_iter().reduce(Measured::joined).expect("every row has at least one process");
        if both.messages == 0 {
            return Err(Error::child("measured", "moved no message"));
        }
        Ok(both)
    }

    /// Waits until the process that was started last says that it is where it was to come.
    pub(super) fn reached(&self, within: Duration) -> Result<(), Error> {
        self.process_reached(self.processes.len() - 1, within)
    }

    /// The same for the process that was started first.
    pub(super) fn first_reached(&self, within: Duration) -> Result<(), Error> {
        self.process_reached(0, within)
    }

    fn process_reached(&self, index: usize, within: Duration) -> Result<(), Error> {
        self.processes[index].expect("reached", within).map_err(|error| self.blamed(error))?;
        Ok(())
    }

    /// Lets the ends run; what each of them did after the warm-up.
    pub(super) fn watch_each(
        &mut self,
        warm_up: Duration,
        measure: Duration,
    ) -> Result<Vec<Measured>, Error> {
        self.try_watch(warm_up, measure).map_err(|error| self.blamed(error))
    }

    /// A competitor may find out late that it cannot do something, and then what is seen first is that others lost it.
    fn blamed(&self, error: Error) -> Error {
        let is_refusal = |error: &Error| matches!(error, Error::Absent(_) | Error::NotMeasurable(_));
        if is_refusal(&error) {
            return error;
        }
        self.processes.iter().filter_map(Child::last_error).find(is_refusal).unwrap_or(error)
    }

    fn try_watch(&mut self, warm_up: Duration, measure: Duration) -> Result<Vec<Measured>, Error> {
        sleep(warm_up);
        for end in &mut self.processes {
            end.say("mark")?;
        }
        for end in &self.processes {
            end.expect("marked", PATIENCE)?;
        }
        sleep(measure);
        for end in &mut self.processes {
            end.say("stop")?;
        }
        self.processes.iter().map(result).collect()
    }
}

/// What a process did since its mark.
pub(super) fn result(end: &Child) -> Result<Measured, Error> {
    end.expect("result", PATIENCE)?.parse()
}

impl Drop for Ends {
    fn drop(&mut self) {
        for endpoint in &self.endpoints {
            if let Some(path) = endpoint.strip_prefix("ipc://") {
                // A library that tidies up itself was faster.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}
