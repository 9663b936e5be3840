//! A request for the path that the test names behind a blank.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    let (authority, path) = target.split_once(' ').expect("an authority and a path");
    Attempt { path, ..Attempt::get(authority) }.tried()
}
