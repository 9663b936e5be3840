//! Fuzzes rules for requests; what must hold is in `bailiwick_fuzz::http_rules`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bailiwick_fuzz::http_rules::check(input));
