//! Lines of a log without end.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    let line = "x".repeat(10_000);
    loop {
        crate::logging::log(crate::logging::Level::Error, "flood", &line);
    }
}
