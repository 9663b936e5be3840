//! Reports of progress without end.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    for done in 0.. {
        crate::progress::report(done, None, "again");
    }
    Ok("it may report for ever".to_owned())
}
