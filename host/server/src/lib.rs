//! Everything behind the binary `bailiwick`: configuration, wiring, subcommands.

pub mod agents;
pub mod app;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod control;
pub mod desk;
pub mod log;
pub mod output;
pub mod secrets;

use clap::CommandFactory as _;

use crate::cli::{Cli, Command};
use crate::output::{Done, Exit, Failure, Output};

/// What the binary allocates with, and so do the benchmarks that link this crate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs one command line.
pub fn run(cli: Cli) -> Done {
    let out = Output::new(cli.json);
    if let Command::Completion { shell } = cli.command {
        clap_complete::generate(shell, &mut Cli::command(), "bailiwick", &mut std::io::stdout());
        return Ok(());
    }
    let overrides = config::Overrides { file: cli.config, data_dir: cli.data_dir };
    let command = match cli.command {
        Command::Author(command) => return commands::author::run(command, &overrides, out),
        command => command,
    };
    let config = config::load(&overrides).map_err(|error| Failure::new(Exit::Usage, error))?;
    match command {
        Command::Serve(serve) => commands::serve::run(&serve, config, out),
        Command::Run(run) => commands::run::run(&run, &config, out),
        Command::Runs(command) => commands::runs::run(command, &config, out),
        Command::Agents(command) => commands::agents::run(command, &config, out),
        Command::Skills(command) => commands::skills::run(command, &config, out),
        Command::Grant(command) => commands::grant::run(command, &config, out),
        Command::Approvals(command) => commands::approvals::run(command, &config, out),
        Command::Audit(command) => commands::audit::run(command, &config, out),
        Command::Key(command) => commands::key::run(command, &config, out),
        Command::Secrets(command) => commands::secrets::run(&command, &config, out),
        Command::Config(command) => commands::config::run(&command, &config, out),
        // Answered before there was a configuration.
        Command::Launch(_) | Command::Completion { .. } | Command::Author(_) => Ok(()),
    }
}
