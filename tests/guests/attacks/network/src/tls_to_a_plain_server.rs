//! TLS with a server that speaks plain text.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::types::Scheme;

pub fn attack(target: &str) -> Tried {
    Attempt { scheme: Scheme::Https, ..Attempt::get(target) }.tried()
}
