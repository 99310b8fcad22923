//! The reasons that vSphere gives against Fault Tolerance (`VmFaultToleranceConfigIssue.reason` and the issues of hosts). The
//! set is open: an unknown reason is reported by its name.

/// The reasons that are about the hardware that the host sees.
pub const HARDWARE: [&str; 8] = [
    "ftUnsupportedHardware",
    "cpuHvUnsupported",
    "cpuHwmmuUnsupported",
    "cpuHvDisabled",
    "incompatibleCpu",
    "hvDisabled",
    "cpuidLimitSet",
    "oldBIOS",
];

/// Explains a reason.
pub fn meaning(reason: &str) -> String {
    match reason {
        "haAgentIssue" => "the agent of vSphere HA on the host has a problem",
        "haNotEnabled" => "vSphere HA of the cluster is off",
        "hostInactive" => "the host is in maintenance mode, in standby or not connected",
        "missingVMotionNic" => "vMotion is not licensed, or no vmknic is set up for it",
        "missingFTLoggingNic" => "no vmknic is set up for Fault Tolerance logging",
        "ftUnsupportedHardware" => "the hardware of the host does not support Fault Tolerance",
        "ftUnsupportedProduct" | "unsupportedProduct" | "incompatibleProduct" => {
            "the product on the host does not support this kind of Fault Tolerance"
        }
        "cpuHvUnsupported" => "the processors have no hardware virtualization",
        "cpuHwmmuUnsupported" => "the processors do not support memory virtualization (EPT or RVI)",
        "cpuHvDisabled" | "hvDisabled" => "hardware virtualization is off in the BIOS",
        "incompatibleCpu" => "the processors do not support record and replay",
        "cpuidLimitSet" => "the BIOS limits CPUID",
        "oldBIOS" => "the BIOS is too old",
        "vMotionNotLicensed" => "vMotion is not licensed",
        "ftNotLicensed" => "Fault Tolerance is not licensed",
        "insufficientBandwidth" => "the network for Fault Tolerance logging is too slow",
        "verifySSLCertificateFlagNotSet" => "vCenter Server does not verify the certificates of hosts",
        "recordReplayNotSupported" => "the virtual machine does not support record and replay",
        "replayNotSupported" => "the virtual machine cannot be replayed in its current state",
        "multipleVCPU" | "tooManyVCPUs" => "the virtual machine has too many virtual CPUs",
        "tooMuchMemory" => "the virtual machine has too much memory",
        "thinDisk" => "the virtual machine has a thin disk",
        "hasSnapshots" => "the virtual machine has snapshots",
        "hasLocalDisk" => "a disk of the virtual machine is on a local datastore",
        "hasUnsupportedDisk" => "Fault Tolerance cannot protect this kind of disk of the virtual machine",
        "hasLinkedCloneDisk" => "a disk of the virtual machine is a linked clone",
        "hasNestedHVConfiguration" => "the virtual machine has nested hardware virtualization or VBS",
        "hasEFIFirmware" => "the virtual machine has EFI firmware",
        "hasVFlashConfiguration" => "the virtual machine uses flash read cache",
        "video3dEnabled" => "the virtual machine has 3D video",
        "templateVm" => "it is a template",
        "ftSecondaryVm" => "it is a secondary",
        "moreThanOneSecondary" => "it has a secondary already",
        "unsupportedSPBM" => "a storage policy of the virtual machine does not support Fault Tolerance",
        "esxAgentVm" => "it is a virtual machine of an ESX agent",
        "noConfig" => "its configuration cannot be read",
        other => return format!("vSphere reports {other}"),
    }
    .to_owned()
}
