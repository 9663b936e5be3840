//! Requests made, none sent and none dropped.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(_: &str) -> Tried {
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(Attempt::get("127.0.0.1").request()?);
    }
    Ok(format!("{} requests", held.len()))
}
