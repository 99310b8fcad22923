//! Any bytes as a .vmx file, and any edits of it.
//!
//! An input is a file, a NUL, and edits, one a line: `s` with `key=value` sets, `r` with a key removes.

#![no_main]

#[path = "../../../modules/lib/vmx/tests/invariants/mod.rs"]
mod invariants;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let file = parts.next().unwrap_or_default();
    let Some(mut document) = invariants::parse(file) else {
        return;
    };
    let edits = String::from_utf8_lossy(parts.next().unwrap_or_default());
    for line in edits.split('\n').take(8) {
        // Errors are answers; what must hold with them is checked inside.
        if let Some(edit) = line.strip_prefix('s') {
            let (key, value) = edit.split_once('=').unwrap_or((edit, ""));
            let _ = invariants::set(&mut document, key, value);
        } else if let Some(key) = line.strip_prefix('r') {
            let _ = invariants::remove(&mut document, key);
        }
    }
});
