//! Wishes and states for the tests of the plan.

use vsphere::{FtInfo, Moref, Version};
use vsphere_module::VmReport;

use crate::args::{Encryption, State, Wish};
use crate::state::{FtState, Observed};

pub fn wish(state: State) -> Wish {
    Wish { state, wait: true, allow_power_cycle: false, encryption: None }
}

pub fn observed(state: &str, power: &str) -> Observed {
    let configured = state != "notConfigured";
    Observed {
        moref: Moref::new("VirtualMachine", "vm-63"),
        vm: VmReport {
            name: "inner".to_owned(),
            moid: "vm-63".to_owned(),
            instance_uuid: None,
            power_state: Some(power.to_owned()),
        },
        state: FtState::of(state),
        reason: None,
        ft: configured.then(|| role(1)),
        template: false,
        vcenter: true,
        spoken: Version::parse("5.0"),
        host_version: Version::parse("5.0"),
        uses_legacy_ft: false,
        cluster: Some(("Cluster".to_owned(), Some(true))),
        host: Some("esxi01".to_owned()),
        nested: false,
        issues: None,
        unasked: None,
        wants_datastore: false,
        secondary_host: None,
        placement: None,
        encryption: None,
        encrypted: false,
        lost_host: None,
    }
}

/// The same under vSphere 7.0 Update 2, with the mode of encryption.
pub fn encrypting(encryption: Encryption, observed: Observed) -> Observed {
    let version = || Version::parse("7.0.2");
    Observed { spoken: version(), host_version: version(), encryption: Some(encryption), ..observed }
}

/// The same under vSphere 6.7.
pub fn modern(observed: Observed) -> Observed {
    Observed { spoken: Version::parse("6.7"), host_version: Version::parse("6.7"), ..observed }
}

pub fn role(role: i32) -> FtInfo {
    FtInfo {
        role,
        instance_uuids: Vec::new(),
        secondaries: if role == 1 { vec![Moref::new("VirtualMachine", "vm-70")] } else { Vec::new() },
        primary: (role != 1).then(|| Moref::new("VirtualMachine", "vm-63")),
        orphaned: false,
    }
}
