//! A method with a whole request in it.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::types::Method;

pub fn attack(target: &str) -> Tried {
    let method = Method::Other("GET /hidden HTTP/1.1\r\nhost: hidden\r\n\r\nGET".to_owned());
    Attempt { method, ..Attempt::get(target) }.tried()
}
