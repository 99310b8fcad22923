//! A line with a method's name and an HTTP status, followed by the body of a reply.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vsphere::invariants::reply(input));
