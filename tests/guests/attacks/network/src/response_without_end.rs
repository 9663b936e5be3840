//! A server that sends without end, to a guest that takes all of it.

use attack_kit::Tried;
use attack_kit::http::{Attempt, pieces};

pub fn attack(target: &str) -> Tried {
    let response = Attempt::get(target).send()?;
    let mut bytes = 0;
    let ended = pieces(&response, |piece| bytes += piece.len());
    ended.map_err(|error| format!("{error} after {} MiB", bytes >> 20))?;
    Ok(format!("{bytes} bytes"))
}
