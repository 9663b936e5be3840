//! Cursors without end, of each of which the host has to know where it stands.

use attack_kit::Tried;

use crate::{batch, name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    let entries: Vec<_> = (0..1000).map(|n| (format!("k{n:04}{}", "k".repeat(500)), Vec::new())).collect();
    batch::set_many(&bucket, &entries).map_err(name)?;
    let first = bucket.list_keys(None).map_err(name)?.cursor;
    let again = bucket.list_keys(None).map_err(name)?.cursor;
    assert_eq!(first, again, "one place has one cursor");
    // Each key before the others moves the end of the first page.
    for n in 0..10_000 {
        bucket.set(&format!("a{n:04}"), b"").map_err(name)?;
        bucket.list_keys(None).map_err(|error| format!("{} after {n}", name(error)))?;
    }
    Ok("ten thousand cursors".to_owned())
}
