//! `bailiwick`: agents whose skills can do only what they were granted.

use std::process::ExitCode;

use bailiwick_server::cli::{Cli, Command};
use bailiwick_server::commands::launch;
use bailiwick_server::output::report;
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Launch(launch) = &cli.command {
        return ExitCode::from(launch::launch(launch));
    }
    match bailiwick_server::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}
