//! A skill that was not granted, under several names.

use attack_kit::Tried;

pub fn attack(target: &str) -> Tried {
    crate::call(target, "{}").map_err(attack_kit::name)
}
