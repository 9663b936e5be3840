//! Settings that are those of others, or of the host.

use attack_kit::Tried;

use crate::store;

pub fn attack(_: &str) -> Tried {
    for key in ["token", "PATH", "HOME", "units\0", "UNITS", "*", "", "../token"] {
        if let Some(value) = store::get(key).map_err(attack_kit::name)? {
            return Ok(format!("{key} = {value}"));
        }
    }
    Err("none of them is there".to_owned())
}
