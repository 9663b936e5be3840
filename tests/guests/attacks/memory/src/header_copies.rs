//! One large set of fields copied as often as there are handles.

use attack_kit::Tried;
use attack_kit::wasip2::http::types::Fields;

pub fn attack(_: &str) -> Tried {
    let fields = Fields::new();
    fields.append("x-large", &vec![b'y'; 32 << 10]).map_err(attack_kit::name)?;
    let mut held = Vec::new();
    while held.len() < 20_000 {
        held.push(fields.clone());
    }
    Ok(format!("{} copies", held.len()))
}
