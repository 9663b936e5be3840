//! Every setting there is.

use attack_kit::Tried;

use crate::store;

pub fn attack(_: &str) -> Tried {
    let all = store::get_all().map_err(attack_kit::name)?;
    Err(all.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" "))
}
