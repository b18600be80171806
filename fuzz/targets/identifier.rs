//! See `fuzz::identifier`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::identifier(data));
