//! See `fuzz::cursor`.
#![no_main]
#![expect(unsafe_code, reason = "libFuzzer calls a C function")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cursor(data));
