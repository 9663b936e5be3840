//! Arguments for another skill that are no object, or no JSON at all.

use attack_kit::Tried;

pub fn attack(target: &str) -> Tried {
    for arguments in ["", "[]", "{", "null", "{} {}"] {
        match crate::call(target, arguments) {
            Err(crate::skills::Error::InvalidArguments(_)) => {}
            other => return Ok(format!("{other:?}")),
        }
    }
    Err("InvalidArguments".to_owned())
}
