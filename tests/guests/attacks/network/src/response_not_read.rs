//! A server that sends without end, to a guest that reads none of it and waits.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use std::time::Duration;

pub fn attack(target: &str) -> Tried {
    let response = Attempt::get(target).send()?;
    std::thread::sleep(Duration::from_millis(300));
    Err(format!("status {}", response.status()))
}
