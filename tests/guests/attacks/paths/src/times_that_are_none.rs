//! Times that no clock has, which made a host panic (GHSA-mr2v-56j5-cmfc).

use attack_kit::wasip2::clocks::wall_clock::Datetime;
use attack_kit::wasip2::filesystem::types::{NewTimestamp, PathFlags};
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    let mut refusals = Vec::new();
    for (seconds, nanoseconds) in [(u64::MAX, 0), (u64::MAX, u32::MAX), (i64::MAX as u64 + 1, 999_999_999)] {
        let time = NewTimestamp::Timestamp(Datetime { seconds, nanoseconds });
        let set = work.set_times_at(PathFlags::empty(), "note.txt", time, time);
        refusals.push(set.map_or_else(fs::name, |()| "set".to_owned()));
    }
    Err(refusals.join(" "))
}
