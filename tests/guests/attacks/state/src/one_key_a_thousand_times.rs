//! One large value, a thousand times in one answer, which the host has to hold.

use attack_kit::Tried;

use crate::{batch, name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    bucket.set("k", &vec![b'x'; 1 << 20]).map_err(name)?;
    let found = batch::get_many(&bucket, &vec!["k".to_owned(); 1000]).map_err(name)?;
    Ok(format!("{} values", found.len()))
}
