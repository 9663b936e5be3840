//! More questions than a person reads.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    for number in 0..1000 {
        match crate::ask(&format!("May I, for the {number}th time?"), "{}") {
            Err(crate::approvals::Error::Limit(_)) if number == 16 => return Err("Limit".to_owned()),
            Err(crate::approvals::Error::Failed(_)) => {}
            other => return Ok(format!("{number}: {other:?}")),
        }
    }
    Ok("a thousand questions".to_owned())
}
