//! A question with details that nobody reads to their end.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    let details = format!("{{\"text\": \"{}\"}}", "x".repeat(1 << 20));
    crate::ask("May I?", &details).map(|answer| format!("{answer:?}")).map_err(attack_kit::name)
}
