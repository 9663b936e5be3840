//! A request to the authority that the test names.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    Attempt::get(target).tried()
}
