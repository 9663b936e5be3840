//! More requests than one call may make.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    for sent in 0..10_000 {
        Attempt::get(target).tried().map_err(|error| format!("{error} after {sent}"))?;
    }
    Ok("ten thousand requests".to_owned())
}
