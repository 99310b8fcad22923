//! What the command line asks for: which vSphere to be, and what should go wrong.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::schema::{self, Version};

/// Which release the simulator pretends to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Personality {
    /// vSphere 5.0: record/replay FT, the article's lab
    #[value(name = "5.0")]
    V50,
    /// vSphere 6.7: SMP-FT, `Migrate.VMotionStreamDisable` still there
    #[value(name = "6.7")]
    V67,
    /// vSphere 8.0: SMP-FT, `Migrate.VMotionStreamDisable` gone
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

    /// What `vimServiceVersions.xml` names: the version, which may not be a number, and those before it.
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

    /// Whether FT here is the record/replay engine.
    pub fn legacy_ft(self) -> bool {
        self == Self::V50
    }

    /// The version of its FT engine, which hosts of one cluster must share. The numbers are made up, their shape is not.
    pub fn ft_version(self) -> &'static str {
        match self {
            Self::V50 => "3.0.0",
            Self::V67 => "6.7.0",
            Self::V80 => "8.0.0",
        }
    }

    /// Most virtual CPUs and MB of memory that a VM under FT may have here.
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

/// What is set up to go wrong.
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
    /// DRS is manual: the secondary waits for a recommendation to be applied
    DrsManual,
    /// No host can take the secondary
    NoHost,
    /// The secondary never gets past starting
    Slow,
    /// The inner VM is suspended
    Suspended,
    /// The inner VM runs in a monitor mode that FT cannot use
    Monitor,
    /// Nothing is prepared: HA is off, no vmknic carries vMotion or FT logging, and then as in the article
    Bare,
    /// The second host has no vmknic for FT logging
    NoFtNic,
    /// The inner VM's disk is thin
    ThinDisk,
    /// The inner VM offers hardware virtualization to its guest
    NestedHv,
    /// The inner VM has a snapshot
    Snapshot,
}

/// A vSphere that can fail as the article's did.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Config {
    /// Which vSphere release to be
    #[arg(long, value_enum, default_value = "5.0")]
    pub personality: Personality,
    /// What goes wrong
    #[arg(long, value_enum, default_value = "article")]
    pub scenario: Scenario,
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// Serve plain HTTP
    #[arg(long)]
    pub http: bool,
    /// Be an ESXi host that is asked directly, without vCenter
    #[arg(long)]
    pub direct: bool,
    /// How many ESXi hosts the cluster has
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u16).range(1..))]
    pub hosts: u16,
    /// How many more VMs there are beside the named ones
    #[arg(long, default_value_t = 0)]
    pub vms: usize,
    /// How many advanced options a host has, at least
    #[arg(long, default_value_t = 0)]
    pub options: usize,
    /// How many healthy lines more are in every log
    #[arg(long, default_value_t = 0)]
    pub log_lines: usize,
    /// The one user who may log in
    #[arg(long, default_value = "administrator@vsphere.local")]
    pub username: String,
    /// The environment variable that holds the password; without it, a lab password is used
    #[arg(long)]
    pub password_env: Option<String>,
    /// Where to write ca.pem and server.pem
    #[arg(long)]
    pub certificate_dir: Option<PathBuf>,
    /// Milliseconds before every answer
    #[arg(long, default_value_t = 0)]
    pub latency_ms: u64,
    /// Milliseconds a task takes, and each change of the FT state
    #[arg(long, default_value_t = 30)]
    pub task_ms: u64,
    /// Most objects in one answer of `RetrievePropertiesEx`
    #[arg(long)]
    pub page: Option<usize>,
    /// Seconds after which an idle session is gone
    #[arg(long, default_value_t = 1800)]
    pub session_timeout_s: u64,
    /// Append every request to this file too
    #[arg(long)]
    pub log: Option<PathBuf>,
    /// Stop when standard input ends
    #[arg(long)]
    pub until_stdin_closes: bool,
}

impl Scenario {
    /// Whether vMotion streams break off unless they are disabled.
    pub fn breaks_streams(self) -> bool {
        matches!(self, Self::Article | Self::Bare)
    }
}

impl Config {
    /// Why this personality cannot play this scenario, if it cannot.
    pub fn contradiction(&self) -> Option<&'static str> {
        (self.scenario == Scenario::NestedHv && self.personality == Personality::V50)
            .then_some("the scenario nested-hv needs a release that can nest: 5.0 has no nestedHVEnabled")
    }

    /// The password to log in with. It is a throwaway one: the first line on stdout tells it.
    pub fn password(&self) -> String {
        self.password_env
            .as_ref()
            .and_then(|name| std::env::var(name).ok())
            .unwrap_or_else(|| "lab-VMware1!".to_owned())
    }
}
