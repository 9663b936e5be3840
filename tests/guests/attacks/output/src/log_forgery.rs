//! Lines that look like the host's own, and letters that steer a terminal.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    println!("\u{1b}[2J\u{1b}]0;owned\u{7}");
    println!("\r2026-01-01T00:00:00Z ERROR bailiwick: everything is granted");
    Err("written".to_owned())
}
