//! What must hold of every input, one module for each fuzz target.
//!
//! A target's `check` takes any bytes and panics where a property does not hold,
//! or where the code under it panics. The binaries in `fuzz_targets/` hand it to
//! libFuzzer, and `tests/corpus.rs` gives it every input that is kept in
//! `corpus/`. docs/fuzzing.md says how to run them.

pub mod audit_export;
pub mod grants;
pub mod http_rules;
pub mod json_to_wit;
pub mod manifest;

/// A fuzz target.
pub type Check = fn(&[u8]);

/// Every target by the name of its binary, its corpus and its dictionary.
pub const TARGETS: [(&str, Check); 5] = [
    ("audit_export", audit_export::check),
    ("grants", grants::check),
    ("http_rules", http_rules::check),
    ("json_to_wit", json_to_wit::check),
    ("manifest", manifest::check),
];
