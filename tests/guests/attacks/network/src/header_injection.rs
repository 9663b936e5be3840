//! A field with a second request behind a line break.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt::get(target);
    for value in ["a\r\nx-injected: yes", "a\nx-injected: yes", "a\rx-injected: yes", "a\0b"] {
        match attempt.fields.append("x-plain", value.as_bytes()) {
            Ok(()) => return attempt.tried(),
            Err(refused) => assert_eq!(attack_kit::name(refused), "InvalidSyntax"),
        }
    }
    Err("each was refused".to_owned())
}
