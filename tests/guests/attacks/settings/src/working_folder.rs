//! The folder in which the host runs.

use attack_kit::Tried;
use attack_kit::wasip2::cli::environment;

pub fn attack(_: &str) -> Tried {
    environment::initial_cwd().map_or_else(|| Err("nothing".to_owned()), Ok)
}
