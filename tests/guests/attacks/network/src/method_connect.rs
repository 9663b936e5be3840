//! A tunnel to another server by way of the one that is granted.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::types::Method;

pub fn attack(target: &str) -> Tried {
    Attempt { method: Method::Connect, ..Attempt::get(target) }.tried()
}
