//! The host's terminals.

use attack_kit::Tried;
use attack_kit::wasip2::cli::{terminal_stderr, terminal_stdin, terminal_stdout};

pub fn attack(_: &str) -> Tried {
    let found = [
        terminal_stdin::get_terminal_stdin().is_some(),
        terminal_stdout::get_terminal_stdout().is_some(),
        terminal_stderr::get_terminal_stderr().is_some(),
    ];
    if found.contains(&true) { Ok(format!("{found:?}")) } else { Err("nothing".to_owned()) }
}
