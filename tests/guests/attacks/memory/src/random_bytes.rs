//! Random bytes without end in one request (CVE-2026-27204).

use attack_kit::Tried;
use attack_kit::wasip2::random::random::get_random_bytes;

pub fn attack(_: &str) -> Tried {
    Ok(format!("{} bytes", get_random_bytes(u64::MAX).len()))
}
