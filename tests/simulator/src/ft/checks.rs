//! Checks before Fault Tolerance is turned on, and the choice of a host for the secondary.

use crate::config::{Personality, Scenario};
use crate::fault::{Fault, Result};
use crate::model::vm::{Power, replay_options};
use crate::value::{Ref, Value};
use crate::world::World;

use super::faults;

impl World {
    /// Fails with `TaskInProgress` while another task works on the VM.
    pub fn idle(&self, moid: &str) -> Result<()> {
        let vm = self.need_vm(moid)?;
        let peer = vm.ft.as_ref().and_then(|pair| self.vm(&pair.peer));
        let busy = vm.busy.as_ref().or(peer.and_then(|peer| peer.busy.as_ref()));
        match busy {
            Some(task) => {
                Err(Fault::new("TaskInProgress", "The operation is not allowed while another one is in progress.")
                    .with("task", Ref::new("Task", task)))
            }
            None => Ok(()),
        }
    }

    /// Checks what FT needs in general: vCenter, a cluster with HA, no template, no secondary.
    pub fn ft_possible(&self, moid: &str) -> Result<()> {
        let vm = self.need_vm(moid)?;
        if let Some(pair) = &vm.ft
            && pair.secondary()
        {
            return Err(faults::on_secondary(&vm.instance_uuid));
        }
        let protected = self.cluster_of(&vm.host).is_some_and(|cluster| cluster.ha.on);
        if self.config.direct || vm.template || !protected {
            return Err(Fault::not_supported());
        }
        if !vm.accessible() {
            return Err(faults::invalid_state());
        }
        Ok(())
    }

    /// The obstacles to FT in the VM itself, as `QueryFaultToleranceCompatibility` reports them.
    pub fn ft_issues(&self, moid: &str, legacy: bool) -> Vec<Fault> {
        let Some(vm) = self.vm(moid) else {
            return Vec::new();
        };
        let mut issues = Vec::new();
        let mut add = |reason| issues.push(faults::config_issue(self, moid, reason));
        if vm.ft.is_some() {
            add("moreThanOneSecondary");
        }
        let hardware = &vm.hardware;
        if !hardware.snapshots.is_empty() {
            add("hasSnapshots");
        }
        if hardware.nested_hv || hardware.vbs {
            add("hasNestedHVConfiguration");
        }
        if !self.store(&vm.datastore).is_none_or(|store| store.shared) {
            add("hasLocalDisk");
        }
        if hardware.disk.linked {
            add("hasLinkedCloneDisk");
        }
        let (cpus, memory) = self.config.personality.ft_limits();
        if legacy {
            if vm.cpus > 1 {
                add("multipleVCPU");
            }
            // Turning FT on makes the disk thick if the VM is off.
            if hardware.disk.thin && vm.power != Power::Off {
                add("thinDisk");
            }
            if hardware.firmware == "efi" {
                add("hasEFIFirmware");
            }
            let supported = self.config.personality == Personality::V50;
            if !supported || !replay_options(&vm.extra) {
                add("recordReplayNotSupported");
            } else if vm.power != Power::Off && !replay_options(&vm.effective) {
                add("replayNotSupported");
            }
        } else {
            if vm.cpus > cpus {
                add("tooManyVCPUs");
            }
            if vm.memory > memory {
                add("tooMuchMemory");
            }
            if hardware.policy.is_some() {
                add("unsupportedSPBM");
            }
        }
        if self.config.scenario == Scenario::Monitor && vm.power == Power::On && vm.ft.is_none() {
            issues.push(faults::monitor());
        }
        issues
    }

    /// Fails with `VmFaultToleranceConfigIssue` if the VM's host has an obstacle to FT.
    pub fn host_ready(&self, moid: &str) -> Result<()> {
        let host = &self.need_vm(moid)?.host;
        match self.placement_issues(host).first() {
            Some(reason) => Err(faults::config_issue(self, host, reason)),
            None => Ok(()),
        }
    }

    /// The obstacles to FT on a host. A missing HA agent only counts while HA is on: an earlier check reports HA itself.
    fn placement_issues(&self, moid: &str) -> Vec<String> {
        let ha = self.cluster_of(moid).is_some_and(|cluster| cluster.ha.on);
        let issues = self.host(moid).map(|host| self.host_issues(moid, host, self.config.personality.legacy_ft()));
        issues.into_iter().flatten().filter(|issue| ha || issue != "haAgentIssue").collect()
    }

    /// The host for a secondary of this VM.
    pub fn place_secondary(&self, moid: &str, wish: Option<&Ref>) -> Result<String> {
        let vm = self.need_vm(moid)?;
        let engine = |moid: &str| self.host(moid).map(|host| &host.feature_version);
        // Record/replay shares the disks; SMP-FT copies them.
        let stores = vm.stores().into_iter().take(if self.config.personality.legacy_ft() { usize::MAX } else { 1 });
        let network = self.of_kind("Network").into_iter().next();
        let needs: Vec<&str> = stores.chain(network.as_deref()).collect();
        let usable = |host: &str| {
            host != vm.host
                && self.cluster_of(host).is_some()
                && self.host(host).is_some_and(|host| host.in_service() && needs.iter().all(|moid| host.reaches(moid)))
                && engine(host) == engine(&vm.host)
                && self.placement_issues(host).is_empty()
        };
        if let Some(wish) = wish {
            if usable(&wish.moid) {
                return Ok(wish.moid.clone());
            }
            let error = Fault::new(
                "HostIncompatibleForFaultTolerance",
                "The host is not compatible with Fault Tolerance for this virtual machine.",
            )
            .with("hostName", self.name(&wish.moid))
            .with("reason", "product");
            return Err(Fault::new(
                "IncompatibleHostForFtSecondary",
                "The host cannot take the secondary virtual machine.",
            )
            .with("host", wish.clone())
            .with("error", Value::List("LocalizedMethodFault", vec![error.localized()])));
        }
        if self.config.scenario == Scenario::NoHost {
            return Err(faults::no_host(self, moid));
        }
        self.of_kind("HostSystem").into_iter().find(|host| usable(host)).ok_or_else(|| faults::no_host(self, moid))
    }

    /// True if a vMotion stream between these hosts breaks: if the network does not carry packets as large as its MTU, or in a
    /// scenario that breaks streams, unless both hosts pretend not to support them.
    ///
    /// 7.0 U2 removed the option, and the failure does not occur there.
    pub fn streams_break(&self, source: &str, target: &str) -> bool {
        let disabled = |host: &str| {
            self.host(host).is_some_and(|host| {
                host.options
                    .iter()
                    .any(|option| option.key == "Migrate.VMotionStreamDisable" && option.current == Value::Long(1))
            })
        };
        let mtu = self.vmotion_nic(source).map_or(0, |nic| nic.mtu);
        !self.carries(source, target, mtu)
            || self.config.scenario.breaks_streams()
                && self.config.personality != Personality::V80
                && !(disabled(source) && disabled(target))
    }

    /// True if the outer network carries a packet of this size, in bytes, from one nested host to another.
    pub fn carries(&self, from: &str, to: &str, packet: u32) -> bool {
        let passes = |host: &str| self.host(host).is_some_and(|host| packet <= host.outer_mtu);
        from == to || self.host(to).is_some_and(|host| host.power == "poweredOn") && passes(from) && passes(to)
    }
}
