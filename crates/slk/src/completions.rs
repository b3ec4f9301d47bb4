//! `slk completions` and `slk man`: what a package puts beside the program.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Failure, print_to_reader};

/// What the shell reads to complete our command lines.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "slk", &mut script);
    print_to_reader(String::from_utf8_lossy(&script).trim_end()).map(drop)
}

/// The manual, all commands in one page.
pub(crate) fn manual() -> Result<(), Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|why| Failure::of("writing the manual", why))?;
    print_to_reader(String::from_utf8_lossy(&page).trim_end()).map(drop)
}
