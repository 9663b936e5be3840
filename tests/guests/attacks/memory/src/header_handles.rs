//! Sets of fields made and none dropped.

use attack_kit::Tried;
use attack_kit::wasip2::http::types::Fields;

pub fn attack(_: &str) -> Tried {
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(Fields::new());
    }
    Ok(format!("{} sets", held.len()))
}
