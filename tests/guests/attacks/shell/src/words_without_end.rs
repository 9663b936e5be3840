//! More words than a command has.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    let mut words = vec!["git", "log"];
    words.resize(100_000, "--all");
    crate::run(&words)
}
