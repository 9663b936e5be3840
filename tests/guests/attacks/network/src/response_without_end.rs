//! A server that sends without end, to a guest that takes all of it.

use attack_kit::Tried;
use attack_kit::http::{Attempt, pieces};

pub fn attack(target: &str) -> Tried {
    let response = Attempt::get(target).send()?;
    let mut bytes = 0;
    let ended = pieces(&response, |piece| bytes += piece.len());
    // In whole ones before the last byte, since the last piece may be cut or left out.
    ended.map_err(|error| format!("{error} after {} MiB", bytes.saturating_sub(1) >> 20))?;
    Ok(format!("{bytes} bytes"))
}
