//! The contents of the CD and floppy drives of the virtual machine.

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Device, Vm};
use crate::finding::{Finding, all};
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[MEDIA];

/// vSphere Availability 8.0 lists drives with a physical or remote device as not supported, and images on storage that is not
/// shared as a problem after a failover. The requirement `devices` reports physical ones.
pub const MEDIA: Requirement =
    Requirement::advisory("media", "CD and floppy drives hold nothing, or an image that several hosts reach.");

/// Judges this requirement.
pub fn judge(context: Context, vm: &Vm) -> Check {
    let finding = vm.devices.judge("config.hardware.device", |devices| {
        let drives = devices.iter().filter(|device| ["VirtualCdrom", "VirtualFloppy"].contains(&device.kind.as_str()));
        all("nothing, or a shared image", drives.map(|drive| of_drive(context, drive)))
    });
    Check::new(MEDIA, &vm.subject, finding)
}

fn of_drive(context: Context, drive: &Device) -> Finding {
    let label = &drive.label;
    if drive.backing.contains("Remote") {
        let observed = format!("{label} uses a device of a client");
        return if drive.connected == Some(true) {
            Finding::unmet(format!("{observed} and is connected"), "Fault Tolerance does not support remote devices")
                .by_hand("Disconnect the drive, or use an image on a datastore that several hosts share.")
        } else {
            let why = "vSphere lists remote devices as not supported, and does not say whether that includes \
                       drives that are not connected";
            Finding::unknown(observed, why)
        };
    }
    match &drive.file {
        Some(path) if !path.is_empty() => image(context, label, path),
        _ => Finding::met("no image"),
    }
}

fn image(context: Context, label: &str, path: &str) -> Finding {
    let observed = format!("{label} holds {path}");
    let name = path.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(name, _)| name);
    let Some(datastore) = context.facts.datastores.iter().find(|it| it.subject.name == name) else {
        return Finding::unknown(observed, "its datastore is not visible");
    };
    match &datastore.shared {
        Fact::Known(false) => Finding::unmet(observed, "only one host reaches the image, so a failover loses it")
            .by_hand("Disconnect the image, or move it to a datastore that several hosts share."),
        other => other.judge("summary.multipleHostAccess", |_| Finding::met(observed)),
    }
}
