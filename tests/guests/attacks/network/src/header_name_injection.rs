//! A name of a field with a line break in it.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt::get(target);
    for name in ["x\r\nx-injected", "x-injected: yes\r\nx", "", "x y", "x:"] {
        match attempt.fields.append(name, b"yes") {
            Ok(()) => return attempt.tried(),
            Err(refused) => assert_eq!(attack_kit::name(refused), "InvalidSyntax"),
        }
    }
    Err("each was refused".to_owned())
}
