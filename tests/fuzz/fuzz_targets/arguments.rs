//! A line with the name of a module, followed by its document of arguments.

#![no_main]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use libfuzzer_sys::fuzz_target;

const MODULES: [(&str, fn(Vec<OsString>) -> ExitCode); 9] = [
    ("cluster_ha", cluster_ha::main),
    ("fault_tolerance", fault_tolerance::main),
    ("ft_diagnose", ft_diagnose::main),
    ("ft_failover", ft_failover::main),
    ("ft_readiness", ft_readiness::main),
    ("host_option", host_option::main),
    ("vm_power", vm_power::main),
    ("vmkernel_service", vmkernel_service::main),
    ("vmx_option", vmx_option::main),
];

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (name, document) = (&input[..end], OsStr::from_bytes(&input[end + 1..]));
    if let Some((name, module)) = MODULES.iter().find(|(known, _)| known.as_bytes() == name) {
        assert_eq!(module(vec![name.into(), "--fuzz".into(), document.into()]), ExitCode::SUCCESS);
    }
});
