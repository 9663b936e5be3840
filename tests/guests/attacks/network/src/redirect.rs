//! A redirect followed to where nothing is granted.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    let response = Attempt { path: "/go", ..Attempt::get(target) }.send()?;
    let location = response.headers().get("location").pop().expect("a redirect");
    let location = String::from_utf8(location).expect("text");
    let authority = location.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/page")).expect("a URL");
    Attempt::get(authority).tried()
}
