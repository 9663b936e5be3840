//! A method that some servers take for the one that is meant by other letters.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::types::Method;

pub fn attack(target: &str) -> Tried {
    Attempt { method: Method::Other("get".to_owned()), ..Attempt::get(target) }.tried()
}
