//! A model that was not granted, by its name and without one.

use attack_kit::Tried;

pub fn attack(target: &str) -> Tried {
    crate::complete(target).map(|response| response.text).map_err(attack_kit::name)
}
