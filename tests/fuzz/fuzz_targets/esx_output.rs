//! A line with an option's path, or with the datastore and the path of a .vmx file, followed by what a tool of the ESXi shell
//! prints.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| esxcli::invariants::output(input));
