//! A guest that runs the commands that it is told to, for the tests of what it is let.

use bindings::bailiwick::shell::commands::{self, Ended};
use exports::tests::commander::tools::{Answer, Guest};

wit_bindgen::generate!({ world: "commander", path: "wit" });

mod bindings {
    wit_bindgen::generate!({ world: "bailiwick:shell/imports", path: "../../../wit/shell" });
}

struct Commander;

fn run(command: &[String], input: &str) -> Result<Ended, String> {
    commands::run(command, input.as_bytes()).map_err(|error| format!("{error:?}"))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Guest for Commander {
    fn run(command: Vec<String>, input: String) -> Result<Answer, String> {
        let Ended { status, stdout, stderr } = run(&command, &input)?;
        Ok(Answer { status, stdout: text(stdout), stderr: text(stderr) })
    }

    fn leave(command: Vec<String>) -> Result<Vec<String>, String> {
        run(&command, "")?;
        let entries = std::fs::read_dir("/workspace").map_err(|error| error.to_string())?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        names.sort();
        Ok(names)
    }
}

export!(Commander);
