//! Requests to a granted model without end.

use attack_kit::Tried;

pub fn attack(target: &str) -> Tried {
    loop {
        match crate::complete(target) {
            Err(crate::models::Error::Limit(_)) => return Err("Limit".to_owned()),
            Err(crate::models::Error::NoModel(_)) => {}
            other => return Ok(format!("{other:?}")),
        }
    }
}
