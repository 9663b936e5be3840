//! A word that ends for the kernel before it ends for the host.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    crate::run(&["git", "log", "--format=%H\0--output=/tmp/x"])
}
