//! Calls of a granted skill without end.

use attack_kit::Tried;

pub fn attack(target: &str) -> Tried {
    loop {
        match crate::call(target, "{}") {
            Err(crate::skills::Error::Limit(_)) => return Err("Limit".to_owned()),
            Err(crate::skills::Error::Unavailable(_)) => {}
            other => return Ok(format!("{other:?}")),
        }
    }
}
