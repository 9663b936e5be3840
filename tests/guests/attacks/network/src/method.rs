//! A request by a method that the rules don't have.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::types::Method;

pub fn attack(target: &str) -> Tried {
    Attempt { method: Method::Delete, ..Attempt::get(target) }.tried()
}
