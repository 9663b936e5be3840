//! Components that know nothing of this host: plain wit-bindgen in Rust, plain
//! componentize-py, plain componentize-js, plain C. They run without a line of
//! ours, and their schemas say the same as the WIT that their authors wrote.
//!
//! One test for each language: what an interpreter is made of takes seconds to
//! compile, and two tests that begin at once would both do it.

mod c;
mod javascript;
mod python;
mod rust;
mod stage;
mod values;

use stage::Stage;

/// What holds of every one of them.
fn is_at_home(stage: &Stage) {
    stage.is_described();
    stage.has_values_of_every_kind();
    stage.has_schemas_that_say_the_same();
    stage.gives_everything_back();
    stage.takes_what_its_types_allow();
}

/// The text has all of these parts.
#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}
