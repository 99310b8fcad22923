//! Any bytes as a .vmx file, and any edits of it.

#![no_main]

#[path = "../../../modules/lib/vmx/tests/invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|input: &[u8]| invariants::input(input));
