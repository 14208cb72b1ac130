//! libFuzzer's way into [`aureole_fuzz::circuit`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aureole_fuzz::circuit(bytes));
