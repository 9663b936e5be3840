//! Fuzzes manifests; what must hold is in `bailiwick_fuzz::manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bailiwick_fuzz::manifest::check(input));
