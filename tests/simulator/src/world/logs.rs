//! The logs of VMs and hosts. Each release has its own format of a line.
//!
//! The lines of a failure are those of the article. Among healthy lines they are not trivial to find.

use crate::config::Personality;
use crate::model::clock;
use crate::model::nics::Vmknic;
use crate::model::vm::Vm;

use super::World;

/// The reason that three of the article's lines give.
const CLOSED: &str = "Connection closed by remote host, possibly due to timeout";

/// The number of rotated logs that are kept (`log.keepOld`).
const KEPT: usize = 6;

/// The severity of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Info,
    Warning,
}

/// A line of vmware.log.
fn vmware_line(personality: Personality, time: &str, thread: &str, level: Level, text: &str) -> String {
    let stamp = time.get(..23).unwrap_or(time);
    let warning = level == Level::Warning;
    match personality {
        Personality::V50 => format!("{stamp}Z| {thread}| {text}"),
        Personality::V67 => format!("{stamp}Z| {thread}| {}: {text}", if warning { "W115" } else { "I125" }),
        Personality::V80 => format!("{stamp}Z {} {thread} - {text}", if warning { "Wa(03)" } else { "In(05)" }),
    }
}

/// A line of vmkernel.log.
fn vmkernel_line(personality: Personality, time: &str, cpu: &str, level: Level, text: &str) -> String {
    let stamp = time.get(..23).unwrap_or(time);
    let (old, new) = if level == Level::Warning { ("WARNING: ", "Wa(180)") } else { ("", "In(182)") };
    let era = if personality == Personality::V80 { format!("{new} vmkernel: ") } else { String::new() };
    format!("{stamp}Z {era}{cpu}){old}{text}")
}

/// The migration of a secondary's failed start.
pub struct Failure<'a> {
    /// The migration's id: microseconds since 1970.
    pub migration: u64,
    /// The address of the vMotion vmknic of the source.
    pub source: &'a str,
    /// The address of the vMotion vmknic of the destination.
    pub destination: &'a str,
}

impl World {
    fn personality(&self) -> Personality {
        self.config.personality
    }

    /// The time this many seconds ago.
    fn ago(&self, seconds: u64) -> String {
        clock::format((self.epoch + self.now * 1000).saturating_sub(seconds * 1_000_000))
    }

    /// The first lines of vmware.log after a power-on.
    fn opening(&self, name: &str, ago: u64) -> Vec<String> {
        let version = self.personality().product_version();
        let (_, build) = self.personality().builds();
        let texts = [
            format!("Log for VMware ESX pid=4127 version={version} build=build-{build} option=Release"),
            "The process is 64-bit.".into(),
            "Host codepage=UTF-8 encoding=UTF-8".into(),
            format!("DICT                displayName = \"{name}\""),
            "MONITOR MODE: allowed modes          : BT HV HWMMU".into(),
            format!("DISK: OPEN scsi0:0 '/vmfs/volumes/shared01/{name}/{name}.vmdk' persistent R[]"),
            "VMXVmdb_SetPowerOn: power state is on".into(),
            "CPU reset: soft (mode 2)".into(),
        ];
        let time = self.ago(ago);
        texts.iter().map(|text| vmware_line(self.personality(), &time, "vmx", Level::Info, text)).collect()
    }

    /// This many healthy lines of vmware.log.
    pub fn vmware_filler(&self, count: usize) -> Vec<String> {
        let texts = [
            "SVGA: Registering IOSpace at 0x1070",
            "VideoMode: change to 640x480",
            "Guest: toolbox: tools are not installed",
            "HBACommon: First write on scsi0:0.fileName",
        ];
        let time = self.ago(60);
        let line = |text: &&str| vmware_line(self.personality(), &time, "vcpu-0", Level::Info, text);
        texts.iter().cycle().take(count).map(line).collect()
    }

    /// This many healthy lines of vmkernel.log.
    pub fn vmkernel_filler(&self, count: usize) -> Vec<String> {
        let texts = [
            "World: vm 4127: 1246: Starting world vmm0:inner of type 8",
            "VSCSI: 3780: handle 8192(vscsi0:0):Creating Virtual Device for world 4127",
            "NetPort: 982: enabled port 0x2000004 with mac 00:50:56:00:00:01",
            "Net: 1652: associated dvPort 128 with portID 0x2000004",
            "NetPort: 1157: disabled port 0x2000004",
        ];
        let time = self.ago(60);
        let line = |text: &&str| vmkernel_line(self.personality(), &time, "cpu1:4127", Level::Info, text);
        texts.iter().cycle().take(count).map(line).collect()
    }

    /// The logs of a VM that existed before the start: its current run and one rotated log.
    pub fn past_logs(&self, name: &str) -> (Vec<String>, Vec<(u32, Vec<String>)>) {
        let mut present = self.opening(name, 3600);
        present.extend(self.vmware_filler(self.config.log_lines));
        (present, vec![(1, self.opening(name, 86_400))])
    }

    /// Powers a VM on. Its VMX process reads the options and begins a new vmware.log.
    pub fn boot(&mut self, moid: &str) {
        let (opening, now) = (self.opening(self.name(moid), 0), self.now);
        if let Some(vm) = self.vm_mut(moid) {
            vm.start(now);
            vm.rotate_log(opening);
        }
    }

    /// Begins a new vmware.log for a secondary that starts. A record/replay secondary writes to its primary's log.
    pub fn boot_secondary(&mut self, moid: &str) {
        if self.personality().legacy_ft() {
            return;
        }
        let opening = self.opening(self.name(moid), 0);
        if let Some(vm) = self.vm_mut(moid) {
            vm.rotate_log(opening);
        }
    }

    /// Writes the failed start of a secondary to all logs that report it.
    pub fn log_failure(&mut self, primary: &str, secondary: Option<&str>, failure: &Failure<'_>) {
        let (personality, time, migration) = (self.personality(), self.time(), failure.migration);
        // Every line of the article names the endpoint ac1e0050.
        let broken = format!("vMotion migration [ac1e0050:{migration}] failed to read stream keepalive: {CLOSED}");
        let lines = [
            format!("[vob.vmotion.stream.keepalive.read.fail] {broken}"),
            format!("[msg.checkpoint.precopyfailure] Migration to host <> failed with error {CLOSED} (0xbad003f)."),
            format!("Migrate: secondary failure during migration: error {CLOSED}."),
        ];
        let lines = lines.map(|text| vmware_line(personality, &time, "vcpu-0", Level::Warning, &text));
        if let Some(vm) = self.vm_mut(primary) {
            vm.vmware_log.extend(lines.iter().cloned());
        }
        if !personality.legacy_ft()
            && let Some(vm) = secondary.and_then(|moid| self.vm_mut(moid))
        {
            vm.vmware_log.extend(lines.into_iter().take(1));
        }
        let host = |world: &Self, moid: Option<&str>| {
            moid.and_then(|moid| world.vm(moid)).map(|vm| vm.host.clone()).unwrap_or_default()
        };
        for (moid, side) in [(host(self, Some(primary)), 'S'), (host(self, secondary), 'D')] {
            let lines = vmkernel_failure(personality, &time, failure, side);
            if let Some(host) = self.host_mut(&moid) {
                host.vmkernel_log.extend(lines);
            }
        }
    }

    /// The vmknic that carries a host's vMotion.
    pub fn vmotion_nic(&self, host: &str) -> Option<&Vmknic> {
        let host = self.host(host)?;
        let (_, device) = host.nics.iter().find(|(service, _)| *service == "vmotion")?;
        host.vmknics.iter().find(|nic| nic.device == *device)
    }

    /// The address of the vmknic that carries a host's vMotion.
    pub fn vmotion_address(&self, host: &str) -> String {
        self.vmotion_nic(host).map(|nic| nic.address.clone()).unwrap_or_default()
    }
}

/// The lines in vmkernel.log about a broken migration, on its source (`S`) or destination (`D`).
fn vmkernel_failure(personality: Personality, time: &str, failure: &Failure<'_>, side: char) -> [String; 4] {
    let Failure { migration, source, destination } = failure;
    let line = |level, text: String| vmkernel_line(personality, time, "cpu0:4123", level, &text);
    [
        line(
            Level::Info,
            format!(
                "Migrate: vm 4127: 3234: Setting VMOTION info: Source ts = {migration}, src ip = <{source}> dest ip = <{destination}> Dest wid = 4200 using SHARED swap"
            ),
        ),
        line(Level::Info, format!("VMotion: 2425: {migration} {side}: Set ip address '{source}' worldlet affinity")),
        line(Level::Warning, format!("VMotion: 3680: {migration} {side}: failed to read stream keepalive: {CLOSED}")),
        line(
            Level::Warning,
            format!(
                "Migrate: 4328: {migration} {side}: Migration considered a failure by the VMX.  It is most likely a timeout, but check the VMX log for the true error."
            ),
        ),
    ]
}

impl Vm {
    /// Rotates vmware.log to vmware-N.log with increasing N, and begins a new one.
    pub fn rotate_log(&mut self, opening: Vec<String>) {
        let old = std::mem::replace(&mut self.vmware_log, opening);
        if !old.is_empty() {
            let number = self.rotated_logs.last().map_or(1, |(number, _)| number + 1);
            self.rotated_logs.push((number, old));
        }
        let surplus = self.rotated_logs.len().saturating_sub(KEPT);
        self.rotated_logs.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn each_release_begins_its_lines_in_its_way() {
        let time = "2011-07-31T17:31:39.314159Z";
        let cases = [
            (
                Personality::V50,
                "2011-07-31T17:31:39.314Z| vcpu-0| text",
                "2011-07-31T17:31:39.314Z cpu0:1)WARNING: text",
            ),
            (
                Personality::V67,
                "2011-07-31T17:31:39.314Z| vcpu-0| W115: text",
                "2011-07-31T17:31:39.314Z cpu0:1)WARNING: text",
            ),
            (
                Personality::V80,
                "2011-07-31T17:31:39.314Z Wa(03) vcpu-0 - text",
                "2011-07-31T17:31:39.314Z Wa(180) vmkernel: cpu0:1)WARNING: text",
            ),
        ];
        for (personality, vmware, vmkernel) in cases {
            assert_eq!(vmware_line(personality, time, "vcpu-0", Level::Warning, "text"), vmware);
            assert_eq!(vmkernel_line(personality, time, "cpu0:1", Level::Warning, "text"), vmkernel);
        }
    }

    #[test]
    fn old_logs_are_numbered_upwards_and_few_are_kept() {
        let mut world = testing::world(&["--scenario", "off"]);
        for _ in 0..8 {
            world.boot("vm-63");
        }
        let vm = world.vm("vm-63").unwrap();
        let numbers: Vec<u32> = vm.rotated_logs.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [4, 5, 6, 7, 8, 9]);
        assert!(vm.vmware_log[0].contains("Log for VMware ESX"));
    }
}
