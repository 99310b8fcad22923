//! The list of modules.

use callers::Program;

/// Every module, sorted by name.
pub const MODULES: &[Program] = &[
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
