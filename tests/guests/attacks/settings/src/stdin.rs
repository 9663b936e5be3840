//! What is typed at the host's terminal.

use attack_kit::Tried;
use attack_kit::wasip2::cli::stdin::get_stdin;

pub fn attack(_: &str) -> Tried {
    let read = get_stdin().blocking_read(1024).map_err(attack_kit::name)?;
    Ok(String::from_utf8_lossy(&read).into_owned())
}
