//! Commands of the host that were not granted, and ways to make others of those that were.

mod empty;
mod further_arguments;
mod not_granted;
mod nul_in_a_word;
mod path_as_program;
mod words_without_end;

use bindings::bailiwick::shell::commands;

mod bindings {
    wit_bindgen::generate!({ world: "bailiwick:shell/imports", path: "../../../../wit/shell" });
}

/// Runs the words as a command.
fn run(words: &[&str]) -> attack_kit::Tried {
    let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    commands::run(&command, b"").map(|ended| format!("{ended:?}")).map_err(attack_kit::name)
}

attack_kit::cases! {
    empty,
    further_arguments,
    not_granted,
    nul_in_a_word,
    path_as_program,
    words_without_end,
}
