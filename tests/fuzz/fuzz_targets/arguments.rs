//! A line with the name of a module, followed by its document of arguments.

#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use callers::Program;
use libfuzzer_sys::fuzz_target;

const MODULES: &[Program] = &[
    cluster_ha::PROGRAM,
    fault_tolerance::PROGRAM,
    ft_diagnose::PROGRAM,
    ft_failover::PROGRAM,
    ft_readiness::PROGRAM,
    host_option::PROGRAM,
    vm_power::PROGRAM,
    vmkernel_service::PROGRAM,
    vmx_option::PROGRAM,
];

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (name, document) = (&input[..end], OsStr::from_bytes(&input[end + 1..]));
    if let Some(module) = MODULES.iter().find(|module| module.name.as_bytes() == name) {
        assert_eq!(module.run(vec![module.name.into(), "--fuzz".into(), document.into()]), ExitCode::SUCCESS);
    }
});
