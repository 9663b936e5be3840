//! A wait for input that never comes.

use attack_kit::Tried;
use attack_kit::wasip2::cli::stdin::get_stdin;

pub fn attack(_: &str) -> Tried {
    let read = get_stdin().blocking_read(1).map_err(attack_kit::name)?;
    Ok(format!("{} bytes", read.len()))
}
