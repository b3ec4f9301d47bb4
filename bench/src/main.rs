//! `serverlink-bench`: the benchmark as a command.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use serverlink_bench::{Options, Peer, Row};

/// Measures ServerLink beside the bare kernel and libzmq in one interleaved run.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Interleaved runs that the medians are of.
    #[arg(long, value_name = "N")]
    runs: Option<usize>,
    /// Milliseconds each figure is measured for.
    #[arg(long, value_name = "MILLISECONDS")]
    measure: Option<u64>,
    /// Short runs, without the instruction count.
    #[arg(long)]
    quick: bool,
    /// Every row and every competitor, three short runs: less than half an hour.
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// Only these rows (repeatable): push-pull-tcp-64, or a family such as push-pull-tcp, req-rep or echo; all. A wrong name
    /// lists them.
    #[arg(long = "row", value_name = "ROW", value_parser = Row::matching)]
    rows: Vec<Vec<Row>>,
    /// Only these competitors (repeatable), or all. A wrong name lists them.
    #[arg(long = "peer", value_name = "PEER", value_parser = Peer::matching)]
    peers: Vec<Vec<Peer>>,
    /// Keep every core from halting with an idle-priority spinner.
    #[arg(long)]
    keep_awake: bool,
    /// Also write every sample to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also write the tables as Markdown to this file. If it has the lines `<!-- figures -->` and `<!-- end of figures -->`, only
    /// what is between them is replaced.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Also draw the figures into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Only compare ServerLink's instructions per message with those in this file; fails if there are 3 % more.
    #[arg(long, value_name = "FILE")]
    gate: Option<PathBuf>,
    /// Write the counts to the gate's file.
    #[arg(long, requires = "gate")]
    update: bool,
}

impl Arguments {
    fn options(&self) -> Options {
        let mut options = match (self.full, self.quick) {
            (true, _) => Options::full(),
            (_, true) => Options::quick(),
            _ => Options::default(),
        };
        if let Some(runs) = self.runs {
            options.runs = runs;
        }
        if let Some(milliseconds) = self.measure {
            options.measure = Duration::from_millis(milliseconds);
        }
        if !self.rows.is_empty() {
            options.rows = self.rows.concat();
        }
        if !self.peers.is_empty() {
            options.peers = self.peers.concat();
        }
        options.keep_awake = self.keep_awake;
        options.on_step = |step| eprintln!("{step}");
        options
    }
}

fn main() -> ExitCode {
    if let Some(code) = serverlink_bench::run_role() {
        return code;
    }
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(failed) => ExitCode::from(u8::from(failed)),
        Err(error) => {
            eprintln!("serverlink-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether something failed.
fn measure(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    if let Some(path) = &arguments.gate {
        return gate(path, arguments.update);
    }
    let report = serverlink_bench::run(&arguments.options())?;
    println!("{report}");
    if let Some(path) = &arguments.json {
        std::fs::write(path, report.to_json())?;
    }
    if let Some(path) = &arguments.svg {
        std::fs::write(path, report.to_svg())?;
    }
    if let Some(path) = &arguments.markdown {
        let around = std::fs::read_to_string(path).unwrap_or_default();
        std::fs::write(path, report.to_markdown_within(&around))?;
    }
    Ok(report.has_failures())
}

fn gate(path: &Path, update: bool) -> Result<bool, Box<dyn std::error::Error>> {
    if update {
        let counts = serverlink_bench::gate::count()?;
        std::fs::write(path, counts.to_string())?;
        print!("{counts}");
        return Ok(false);
    }
    let agreed = std::fs::read_to_string(path)
        .map_err(|error| format!("reading {}: {error}; --update writes it", path.display()))?;
    let verdict = serverlink_bench::gate::check(&agreed.parse()?)?;
    println!("{verdict}");
    Ok(!verdict.is_good())
}
