//! Properties of ESXi hosts.

use crate::value::{Data, Ref, Value};

use crate::model::host::Host;
use crate::model::{clock, nics, options};
use crate::world::World;

impl World {
    /// `AboutInfo` of vCenter or of a host, which may have its own build.
    pub fn about(&self, host: bool, own_build: Option<&str>) -> Data {
        let personality = self.config.personality;
        let (vcenter, esxi) = personality.builds();
        let version = personality.product_version();
        let (name, build, os, line, api) = if host {
            ("VMware ESXi", esxi, "vmnix-x86", "embeddedEsx", "HostAgent")
        } else {
            ("VMware vCenter Server", vcenter, "linux-x64", "vpx", "VirtualCenter")
        };
        let build = own_build.unwrap_or(build);
        Data::new("AboutInfo")
            .with("name", name)
            .with("fullName", format!("{name} {version} build-{build}"))
            .with("vendor", "VMware, Inc.")
            .with("version", version)
            .with("build", build)
            .with("localeVersion", "INTL")
            .with("localeBuild", "000")
            .with("osType", os)
            .with("productLineId", line)
            .with("apiType", api)
            .with("apiVersion", personality.api_version())
            .opt("instanceUuid", (!host).then_some("5c6b3a52-0e3c-4d0f-9f0e-3d8d2f4f1c11"))
            .with("licenseProductName", "VMware VirtualCenter Server")
            .with("licenseProductVersion", &version[..3])
    }

    /// A property of a host.
    pub(super) fn host_property(&self, moid: &str, host: &Host, name: &str) -> Option<Value> {
        Some(match name {
            "runtime" => self.host_runtime(moid, host).into(),
            "summary" => self.host_summary(moid, host).into(),
            "config.product" => Data::new("HostConfigInfo").with("product", self.host_about(host)).into(),
            "config" => self.host_config(moid, host).into(),
            "capability" => self.host_capability(moid, host).into(),
            "configManager" => Data::new("HostConfigManager")
                .with("advancedOption", Ref::new("OptionManager", &options::manager(moid)))
                .with("virtualNicManager", Ref::new("HostVirtualNicManager", &nics::manager(moid)))
                .into(),
            "vm" => Value::refs(
                self.moids("VirtualMachine")
                    .filter(|vm| self.vm(vm).is_some_and(|vm| vm.host == moid))
                    .map(|vm| Ref::new("VirtualMachine", vm)),
            ),
            "datastore" | "network" => {
                let kind = if name == "datastore" { "Datastore" } else { "Network" };
                Value::refs(self.moids(kind).filter(|m| host.reaches(m)).map(|m| Ref::new(kind, m)))
            }
            "datastoreBrowser" => Ref::new("HostDatastoreBrowser", &format!("datastoreBrowser-{moid}")).into(),
            _ => return None,
        })
    }

    fn host_runtime(&self, moid: &str, host: &Host) -> Data {
        Data::new("HostRuntimeInfo")
            .with("connectionState", Value::Enum("HostSystemConnectionState", host.connection.clone()))
            .with("powerState", Value::Enum("HostSystemPowerState", host.power.clone()))
            .with("inMaintenanceMode", host.maintenance)
            .with("bootTime", Value::Time(clock::format(self.epoch)))
            .opt(
                "dasHostState",
                self.agent_state(moid, host).map(|state| Data::new("ClusterDasFdmHostState").with("state", state)),
            )
    }

    fn host_summary(&self, moid: &str, host: &Host) -> Data {
        let status = Value::Enum("ManagedEntityStatus", "green".into());
        Data::new("HostListSummary")
            .with("host", Ref::new("HostSystem", moid))
            .with(
                "hardware",
                Data::new("HostHardwareSummary")
                    .with("vendor", "VMware, Inc.")
                    .with("model", "VMware Virtual Platform")
                    .with("uuid", &host.uuid)
                    .with("memorySize", Value::Long(i64::from(host.memory) << 20))
                    .with("cpuModel", "Intel(R) Xeon(R) CPU")
                    .with("cpuMhz", 2000)
                    .with("numCpuPkgs", 2_i16)
                    .with("numCpuCores", 2_i16)
                    .with("numCpuThreads", 2_i16)
                    .with("numNics", 2)
                    .with("numHBAs", 1),
            )
            .with("runtime", self.host_runtime(moid, host))
            .with(
                "config",
                Data::new("HostConfigSummary")
                    .with("name", self.name(moid))
                    .with("port", 902)
                    .with("product", self.host_about(host))
                    .with("vmotionEnabled", host.carries("vmotion"))
                    .with("faultToleranceEnabled", host.carries("faultToleranceLogging"))
                    .with("featureVersion", feature_version(host)),
            )
            .with(
                "quickStats",
                Data::new("HostListSummaryQuickStats")
                    .with("overallCpuUsage", 100)
                    .with("overallMemoryUsage", host.used_memory),
            )
            .with("overallStatus", status)
            .with("rebootRequired", false)
    }

    fn host_config(&self, moid: &str, host: &Host) -> Data {
        let options = host.options.iter().map(|option| option.value().into());
        let definitions = host.options.iter().map(|option| option.definition().into());
        Data::new("HostConfigInfo")
            .with("host", Ref::new("HostSystem", moid))
            .with("product", self.host_about(host))
            .with("network", host.network_info())
            .with("virtualNicManagerInfo", host.shown_nic_info())
            .list("option", "OptionValue", options.collect())
            .list("optionDef", "OptionDef", definitions.collect())
    }

    /// The obstacles to FT on a host, in the order and words of `HostCapability`: to record/replay (`legacy`) or SMP-FT.
    pub fn host_issues(&self, moid: &str, host: &Host, legacy: bool) -> Vec<String> {
        let healthy = matches!(self.agent_state(moid, host).as_deref(), Some("master" | "connectedToMaster"));
        let agent = (!healthy).then_some("haAgentIssue");
        // 6.5 removed record/replay, and every newer host reports that.
        let product = (legacy && !self.config.personality.legacy_ft()).then_some("incompatibleProduct");
        let known = agent.into_iter().chain(product).chain(host.missing_nics()).map(ToOwned::to_owned);
        known.chain(host.issues.iter().cloned()).collect()
    }

    fn host_capability(&self, moid: &str, host: &Host) -> Data {
        let legacy = self.config.personality.legacy_ft();
        let words = |words: &[String]| words.iter().map(Value::from).collect::<Vec<_>>();
        let issues = self.host_issues(moid, host, true);
        let replay = if legacy { vec![] } else { vec!["incompatibleProduct".into()] };
        let smp = self.host_issues(moid, host, false);
        let (cpus, memory) = self.config.personality.ft_limits();
        Data::new("HostCapability")
            .with("vmotionSupported", true)
            .with("recordReplaySupported", legacy)
            .with("ftSupported", issues.is_empty())
            .opt("replayUnsupportedReason", (!legacy).then_some("incompatibleProduct"))
            .list("replayCompatibilityIssues", "string", replay)
            .with("smpFtSupported", !legacy && smp.is_empty())
            .list("ftCompatibilityIssues", "string", words(&issues))
            .list("smpFtCompatibilityIssues", "string", words(&smp))
            .opt("maxVcpusPerFtVm", (!legacy).then_some(cpus))
            .with("nestedHVSupported", !legacy)
            .with("ftEfiSupported", !legacy)
            .opt("maxMemMBPerFtVm", (!legacy).then_some(memory))
    }

    /// `AboutInfo` of this host.
    fn host_about(&self, host: &Host) -> Data {
        self.about(true, host.build.as_deref())
    }
}

fn feature_version(host: &Host) -> Value {
    let version =
        Data::new("HostFeatureVersionInfo").with("key", "faultTolerance").with("value", &host.feature_version);
    Value::List("HostFeatureVersionInfo", vec![version.into()])
}
