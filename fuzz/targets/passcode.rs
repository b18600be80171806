//! See `fuzz::passcode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::passcode(data));
