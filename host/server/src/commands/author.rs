//! What an author does: one file for each command.

mod bench;
mod build;
mod check;
mod dev;
mod inspect;
mod lab;
mod new;
mod terms;
mod test;
mod wit;

use crate::cli::author::Author;
use crate::config::{self, Overrides};
use crate::output::{Done, Exit, Failure, Output};

/// Runs a command. Those that need a sandbox have that of the host that is configured here.
pub fn run(command: Author, overrides: &Overrides, out: Output) -> Done {
    let config = || config::load(overrides).map_err(|error| Failure::new(Exit::Usage, error));
    match command {
        Author::New(new) => new::run(&new, out),
        Author::Build(build) => build::run(&build, out),
        Author::Check(check) => check::run(&check, &config()?, out),
        Author::Test(test) => test::run(&test, &config()?, out),
        Author::Dev(dev) => dev::run(&dev, &config()?, out),
        Author::Inspect(inspect) => inspect::run(&inspect, &config()?, out),
        Author::Bench(bench) => bench::run(&bench, &config()?, out),
        Author::Wit(wit) => wit::run(&wit, out),
    }
}
