//! One field as large as the guest can make it.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt::get(target);
    attempt.fields.append("x-large", &vec![b'y'; 8 << 20]).map_err(attack_kit::name)?;
    attempt.tried()
}
