//! Fuzzes exports of the audit chain, edited; what must hold is in `bailiwick_fuzz::audit_export`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bailiwick_fuzz::audit_export::check(input));
