//! An authority with the rest of a request behind a line break.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    for end in ["\r\nx-injected: yes", "\n", " ", "/hidden", "?", "#", "\\@hidden", "\0"] {
        let authority = format!("{target}{end}");
        if let Ok((request, _)) = Attempt::get(&authority).request() {
            return Ok(format!("{:?}", request.authority()));
        }
    }
    Err("each was refused".to_owned())
}
