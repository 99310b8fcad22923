//! A stand-in ESXi host (tests/esxi) for one test, gone at its end.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot have its host has failed")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use esxcli::{AdvancedOption, Shell};

static HOSTS: AtomicU32 = AtomicU32::new(0);

/// The options that the tests are about.
pub const STREAMS: &str = "/Migrate/VMotionStreamDisable";
pub const TIMEOUT: &str = "/Migrate/NetTimeout";
pub const NOTE: &str = "/UserVars/LabNote";

/// In half a minute: nothing here takes that long, unless it is meant to.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// The stand-in of a host, and the folder that holds its state.
pub struct Host {
    folder: PathBuf,
}

impl Host {
    /// A host of this version: 4.1, 5.0, 6.7 or 8.0.
    pub fn new(version: &str) -> Self {
        let number = HOSTS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("esxcli-test-{}-{number}", std::process::id()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/esxi/state");
        let status = Command::new(script).arg(version).arg(&folder).status().unwrap();
        assert!(status.success(), "tests/esxi/state {version}: {status}");
        Self { folder }
    }

    /// The same host without one of its tools.
    pub fn without(self, tool: &str) -> Self {
        std::fs::remove_file(self.folder.join("bin").join(tool)).unwrap();
        self
    }

    /// The same host with a tool that is this shell script.
    ///
    /// Another process writes the file: as long as this one has it open, and with it any tool that another test starts in
    /// that moment, it could not be run ("text file busy").
    pub fn with_script(self, tool: &str, script: &str) -> Self {
        let file = self.folder.join("bin").join(tool);
        let _ = std::fs::remove_file(&file);
        let mut child = Command::new("/bin/sh")
            .args(["-c", r#"cat >"$0" && chmod 755 "$0""#])
            .arg(&file)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        self
    }

    /// `vim-cmd`, if this host has it.
    pub fn vim_cmd(&self) -> Option<esxcli::VimCmd> {
        esxcli::VimCmd::on_path(self.folder.join("bin").as_os_str())
    }

    /// A program's view of the host: its PATH has these tools and no other.
    pub fn shell(&self) -> Shell {
        Shell::on_path(Some(self.folder.join("bin").as_os_str())).unwrap()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in the state folder; README.md of tests/esxi tells which ones the stand-ins look for.
    pub fn put(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    /// Returns the calls of the tools so far, one line a call, arguments separated by TAB.
    pub fn calls(&self) -> Vec<String> {
        std::fs::read_to_string(self.folder.join("calls")).unwrap().lines().map(str::to_owned).collect()
    }

    /// The folder in `/proc` of the process that hangs or hung on this host, if there was one since `hung` was last emptied.
    pub fn hung(&self) -> Option<PathBuf> {
        let id = std::fs::read_to_string(self.folder.join("hung")).ok()?;
        id.ends_with('\n').then(|| Path::new("/proc").join(id.trim()))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The option called `path`, which the host has.
pub async fn option(shell: &Shell, path: &str) -> AdvancedOption {
    shell.option(path, soon()).await.unwrap().unwrap_or_else(|| panic!("no {path}"))
}
