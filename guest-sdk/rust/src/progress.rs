//! How far a call has come, over `bailiwick:skill/progress@0.1.0`.
//!
//! ```no_run
//! for (done, page) in ["a", "b", "c"].iter().enumerate() {
//!     bailiwick_guest::progress::report(done as u64, Some(3), &format!("reading {page}"));
//! }
//! ```

use bindings::bailiwick::skill::progress;

/// Tells whoever waits for the call that `done` of `total` is done, in a unit of the skill's own.
/// Where the end isn't known, `total` is `None`. The message is one line for a person.
///
/// Nothing comes back, and it costs little: reports that come too fast are dropped by the host.
pub fn report(done: u64, total: Option<u64>, message: &str) {
    progress::report(done, total, message);
}

mod bindings {
    wit_bindgen::generate!({ world: "progress", path: "wit", generate_all });
}
