//! What the Makefile asks for beyond cargo: guests, generated files, the demo,
//! and what the attacks of the tests are worth.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its terminal")]

mod demo;
mod examples;
mod generated;
mod guests;
mod mutate;
mod plain;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: xtask guests | schemas [--check] | demo | mutate [--minutes N] [CHECK…]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["guests"] => guests::build(&root()),
        ["schemas"] => generated::write(&root()),
        ["schemas", "--check"] => generated::check(&root()),
        ["demo"] => demo::run(&root()),
        ["mutate", checks @ ..] => mutate::run(&root(), checks),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
