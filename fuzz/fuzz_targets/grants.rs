//! Fuzzes files of grants, and grants as JSON; what must hold is in `bailiwick_fuzz::grants`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bailiwick_fuzz::grants::check(input));
