//! A scheme of which this host knows nothing.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::types::Scheme;

pub fn attack(target: &str) -> Tried {
    Attempt { scheme: Scheme::Other("file".to_owned()), ..Attempt::get(target) }.tried()
}
