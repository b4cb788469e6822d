#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = counterfoil_properties::extract::any_extract(bytes);
});
