//! Signs beside a .vmx file that its VM is in use.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::Stored;
use super::scratch::directory_of;

/// A sign that a VM is in use, and the file that gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum InUse {
    /// `X.vmx.lck`, a file or a directory: another process holds the lock of the .vmx file.
    Locked(PathBuf),
    /// The directory that would hold the signs cannot be listed.
    Unknown(PathBuf),
    /// `X.vmx~`: the VM runs.
    Running(PathBuf),
    /// `X.vmss` or `X-0123abcd.vmss`, or the .vmx file itself by its entry `checkpoint.vmState`: the VM is suspended.
    Suspended(PathBuf),
}

impl InUse {
    /// The file that gives the sign.
    pub fn file(&self) -> &Path {
        match self {
            Self::Locked(file) | Self::Running(file) | Self::Suspended(file) | Self::Unknown(file) => file,
        }
    }
}

/// For a sentence: `/vm/x.vmx.lck says that the .vmx file is locked`.
impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Locked(_) => "the .vmx file is locked",
            Self::Running(_) => "the VM is running",
            Self::Suspended(_) => "the VM is suspended",
            Self::Unknown(directory) => {
                return write!(f, "{} cannot be listed, so the VM may be in use", directory.display());
            }
        };
        write!(f, "{} shows that {what}", self.file().display())
    }
}

impl Stored {
    /// Returns the current signs that the VM is in use: beside the file, beside the link too if the path `asked` is a
    /// symbolic link, and in the file as it was read. An empty list does not prove that the VM is unused: another
    /// host's locks may not be visible from here.
    ///
    /// A directory that cannot be listed is a sign too.
    pub fn in_use(&self, asked: &Path) -> Vec<InUse> {
        let mut signs = BTreeSet::new();
        beside(asked, &mut signs);
        if self.link.is_some() {
            beside(&self.path, &mut signs);
        }
        // Several that disagree: one of them at least is not empty.
        let state = self.document.get("checkpoint.vmState");
        if state.map_or(true, |entry| entry.is_some_and(|entry| !entry.value.trim().is_empty())) {
            signs.insert(InUse::Suspended(self.path.clone()));
        }
        signs.into_iter().collect()
    }
}

fn beside(vmx: &Path, signs: &mut BTreeSet<InUse>) {
    let (Some(name), Some(stem)) = (vmx.file_name(), vmx.file_stem()) else {
        return;
    };
    let with = |name: &OsStr, end: &str| {
        let mut name = OsString::from(name);
        name.push(end);
        Some(vmx.with_file_name(name)).filter(|path| fs::symlink_metadata(path).is_ok())
    };
    signs.extend(with(name, ".lck").map(InUse::Locked));
    signs.extend(with(name, "~").map(InUse::Running));
    signs.extend(with(stem, ".vmss").map(InUse::Suspended));
    let Ok(entries) = fs::read_dir(directory_of(vmx)) else {
        signs.insert(InUse::Unknown(directory_of(vmx).to_owned()));
        return;
    };
    let states = entries
        .flatten()
        .filter(|entry| is_numbered_state(stem.as_encoded_bytes(), entry.file_name().as_encoded_bytes()));
    signs.extend(states.map(|entry| InUse::Suspended(vmx.with_file_name(entry.file_name()))));
}

/// True if a file is named `X-0123abcd.vmss`.
fn is_numbered_state(stem: &[u8], name: &[u8]) -> bool {
    let number =
        name.strip_prefix(stem).and_then(|rest| rest.strip_prefix(b"-")).and_then(|rest| rest.strip_suffix(b".vmss"));
    number.is_some_and(|number| number.len() == 8 && number.iter().all(u8::is_ascii_hexdigit))
}
