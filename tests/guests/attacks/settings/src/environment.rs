//! The environment of the host's own process.

use attack_kit::Tried;
use attack_kit::wasip2::cli::environment;

pub fn attack(_: &str) -> Tried {
    let found = environment::get_environment();
    if found.is_empty() { Err("nothing".to_owned()) } else { Ok(format!("{found:?}")) }
}
