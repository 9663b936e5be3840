//! A command that nobody granted.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    crate::run(&["sh", "-c", "id"])
}
