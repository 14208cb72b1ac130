//! libFuzzer's way into [`aureole_fuzz::annotations`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aureole_fuzz::annotations(bytes));
