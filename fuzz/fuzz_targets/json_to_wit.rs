//! Fuzzes JSON to values of the Component Model; what must hold is in `bailiwick_fuzz::json_to_wit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bailiwick_fuzz::json_to_wit::check(input));
