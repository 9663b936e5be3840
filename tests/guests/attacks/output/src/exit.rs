//! An end before there is an answer.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    std::process::exit(0)
}
