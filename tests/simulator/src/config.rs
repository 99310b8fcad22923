//! The command line: which vSphere to simulate, and what goes wrong.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::schema::{self, Version};

/// The release that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Personality {
    /// vSphere 5.0: record/replay FT, the article's lab
    #[value(name = "5.0")]
    V50,
    /// vSphere 6.7: SMP-FT, still with `Migrate.VMotionStreamDisable`
    #[value(name = "6.7")]
    V67,
    /// vSphere 8.0: SMP-FT, without `Migrate.VMotionStreamDisable`
    #[value(name = "8.0")]
    V80,
}

impl Personality {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::V50 => "5.0",
            Self::V67 => "6.7",
            Self::V80 => "8.0",
        }
    }

    /// `AboutInfo.version` of vCenter and hosts.
    pub fn product_version(self) -> &'static str {
        match self {
            Self::V50 => "5.0.0",
            Self::V67 => "6.7.0",
            Self::V80 => "8.0.2",
        }
    }

    /// `AboutInfo.apiVersion`.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::V50 => "5.0",
            Self::V67 => "6.7.3",
            Self::V80 => "8.0.2.0",
        }
    }

    /// The builds of vCenter and ESXi.
    pub fn builds(self) -> (&'static str, &'static str) {
        match self {
            Self::V50 => ("455964", "469512"),
            Self::V67 => ("14368073", "14320388"),
            Self::V80 => ("22385739", "22380479"),
        }
    }

    /// The versions in `vimServiceVersions.xml`: the newest, which need not be a number, and those before it.
    pub fn versions(self) -> (&'static str, Vec<&'static str>) {
        const ALL: &[&str] = &[
            "8.0.2.0", "8.0.1.0", "8.0.0.2", "8.0.0.1", "8.0.0.0", "7.0.3.2", "7.0.3.1", "7.0.3.0", "7.0.2.1",
            "7.0.2.0", "7.0.1.1", "7.0.1.0", "7.0.0.2", "7.0.0.0", "6.9.1", "6.8.7", "6.7.3", "6.7.2", "6.7.1", "6.7",
            "6.5", "6.0", "5.5", "5.1", "5.0", "4.1", "4.0",
        ];
        let after = |name: &str| ALL.iter().copied().skip_while(|version| *version != name).skip(1).collect();
        match self {
            Self::V50 => ("5.0", after("5.0")),
            Self::V67 => ("6.7.3", after("6.7.3")),
            Self::V80 => ("uA046D008", ALL.to_vec()),
        }
    }

    /// The newest API version that it serves.
    pub fn newest(self) -> Version {
        schema::version(self.api_version())
    }

    /// True if the first reply sets the session's cookie, as up to 5.5, and not the reply to `Login`.
    pub fn early_cookie(self) -> bool {
        self == Self::V50
    }

    /// True if FT is the record/replay engine.
    pub fn legacy_ft(self) -> bool {
        self == Self::V50
    }

    /// The version of its FT engine, which must be equal on all hosts of a cluster. The numbers are invented.
    pub fn ft_version(self) -> &'static str {
        match self {
            Self::V50 => "3.0.0",
            Self::V67 => "6.7.0",
            Self::V80 => "8.0.0",
        }
    }

    /// The largest number of virtual CPUs and MB of memory of a VM with FT.
    pub fn ft_limits(self) -> (i32, i32) {
        if self.legacy_ft() { (1, 65_536) } else { (8, 131_072) }
    }

    /// The hardware version of its VMs.
    pub fn hardware(self) -> &'static str {
        match self {
            Self::V50 => "vmx-08",
            Self::V67 => "vmx-14",
            Self::V80 => "vmx-20",
        }
    }
}

/// The failure that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// The secondary of a powered-on VM cannot start until vMotion streams are disabled on both hosts
    Article,
    /// Nothing fails
    Healthy,
    /// The inner VM is powered off
    Off,
    /// vSphere HA is off
    HaOff,
    /// Two VMs, two folders and two datacenters share names
    Duplicates,
    /// DRS is manual: the secondary starts when a recommendation is applied
    DrsManual,
    /// No host can take the secondary
    NoHost,
    /// The secondary stays starting
    Slow,
    /// The inner VM is suspended
    Suspended,
    /// The inner VM runs in a monitor mode that FT cannot use
    Monitor,
    /// Nothing is prepared: HA is off, no vmknic carries vMotion or FT logging; otherwise as in the article
    Bare,
    /// The second host has no vmknic for FT logging
    NoFtNic,
    /// The inner VM's disk is thin
    ThinDisk,
    /// The inner VM offers hardware virtualization to its guest
    NestedHv,
    /// The inner VM has a snapshot
    Snapshot,
    /// The outer port group drops everything between the nested hosts, as without promiscuous mode
    OuterBlocked,
    /// The vmknics have an MTU of 9000, the outer network carries 1500
    OuterMtu,
}

/// A simulated vSphere that can fail as the article's did.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Config {
    /// The vSphere release to simulate
    #[arg(long, value_enum, default_value = "5.0")]
    pub personality: Personality,
    /// The failure to simulate
    #[arg(long, value_enum, default_value = "article")]
    pub scenario: Scenario,
    /// The address to listen on; port 0 selects a free port
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// Serve plain HTTP
    #[arg(long)]
    pub http: bool,
    /// Simulate an ESXi host without vCenter
    #[arg(long)]
    pub direct: bool,
    /// The number of ESXi hosts in the cluster
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u16).range(1..))]
    pub hosts: u16,
    /// The number of VMs in addition to the named ones
    #[arg(long, default_value_t = 0)]
    pub vms: usize,
    /// The least number of advanced options of a host
    #[arg(long, default_value_t = 0)]
    pub options: usize,
    /// The number of additional healthy lines in every log
    #[arg(long, default_value_t = 0)]
    pub log_lines: usize,
    /// The only user who can log in
    #[arg(long, default_value = "administrator@vsphere.local")]
    pub username: String,
    /// The environment variable that holds the password; without it, the password is a fixed one
    #[arg(long)]
    pub password_env: Option<String>,
    /// The folder to write ca.pem and server.pem to
    #[arg(long)]
    pub certificate_dir: Option<PathBuf>,
    /// Milliseconds before every answer
    #[arg(long, default_value_t = 0)]
    pub latency_ms: u64,
    /// Milliseconds that a login takes
    #[arg(long, default_value_t = 0)]
    pub login_ms: u64,
    /// Milliseconds that a task takes, and each change of the FT state
    #[arg(long, default_value_t = 30)]
    pub task_ms: u64,
    /// The most objects in one reply to `RetrievePropertiesEx`
    #[arg(long)]
    pub page: Option<usize>,
    /// Seconds after which an idle session expires
    #[arg(long, default_value_t = 1800)]
    pub session_timeout_s: u64,
    /// Also append every request to this file
    #[arg(long)]
    pub log: Option<PathBuf>,
    /// Stop at the end of standard input
    #[arg(long)]
    pub until_stdin_closes: bool,
}

impl Scenario {
    /// True if vMotion streams break unless they are disabled.
    pub fn breaks_streams(self) -> bool {
        matches!(self, Self::Article | Self::Bare)
    }
}

impl Config {
    /// The reason why this personality cannot have this scenario, if it cannot.
    pub fn contradiction(&self) -> Option<&'static str> {
        (self.scenario == Scenario::NestedHv && self.personality == Personality::V50)
            .then_some("the scenario nested-hv needs a release that can nest: 5.0 has no nestedHVEnabled")
    }

    /// The password to log in with. The first line on stdout shows it, so it must be a throwaway one.
    pub fn password(&self) -> String {
        self.password_env
            .as_ref()
            .and_then(|name| std::env::var(name).ok())
            .unwrap_or_else(|| "lab-VMware1!".to_owned())
    }
}
