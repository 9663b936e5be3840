//! `bailiwick`: agents whose skills can do only what they were granted.

use std::process::ExitCode;

use bailiwick_server::cli::Cli;
use bailiwick_server::output::report;
use clap::Parser as _;

fn main() -> ExitCode {
    match bailiwick_server::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}
