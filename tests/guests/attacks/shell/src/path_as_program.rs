//! A program of the own workspace, by the name of one that is granted.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    crate::run(&["./git", "status"]).or_else(|_| crate::run(&["/workspace/git", "status"]))
}
