//! A granted command, and one argument more.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    crate::run(&["git", "status", "--porcelain"])
}
