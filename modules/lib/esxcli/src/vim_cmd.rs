//! `vim-cmd`: which virtual machine a .vmx file belongs to, and having the host read that file again.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::error::{Error, one_line};
use crate::program::{LARGE, Program, SMALL};
use crate::vms;

/// Where an ESXi host has its datastores, by name and by id.
const VOLUMES: &str = "/vmfs/volumes";

/// `vim-cmd`, the shell's way to the host's own agent.
#[derive(Debug, Clone)]
pub struct VimCmd {
    program: Program,
    volumes: PathBuf,
}

impl VimCmd {
    /// `vim-cmd` if it is in the folders of `path`, a value of PATH; empty and relative folders do not count.
    pub fn on_path(path: &OsStr) -> Option<Self> {
        Program::find("vim-cmd", path).map(|program| Self { program, volumes: PathBuf::from(VOLUMES) })
    }

    /// The same, with the datastores in another folder than `/vmfs/volumes`.
    #[must_use]
    pub fn with_volumes(mut self, volumes: impl Into<PathBuf>) -> Self {
        self.volumes = volumes.into();
        self
    }

    /// The id under which the virtual machine of this .vmx file is registered on this host (`vmsvc/getallvms`), or `None` if
    /// it is not.
    ///
    /// # Errors
    /// `Path` if `vmx` leads nowhere, `Unexpected` if the table gives the file to several machines or has too many
    /// readings, or whatever the tool failed with.
    pub async fn registered(&self, vmx: &Path, deadline: Instant) -> Result<Option<u64>, Error> {
        let file = vmx.canonicalize().map_err(|io| Error::Path { path: vmx.to_owned(), io })?;
        let output = self.program.succeed(&["vmsvc/getallvms".to_owned()], LARGE, deadline).await?;
        let table = self.program.whole(&output)?;
        if !table.trim_ascii_start().starts_with(b"Vmid") {
            let text = one_line(&String::from_utf8_lossy(table));
            return Err(Error::Unexpected { tool: self.program.name, text });
        }
        let is_file = |datastore: &OsStr, path: &OsStr| {
            // Datastores are links from names to ids, so that only resolved paths can be compared.
            self.volumes.join(datastore).join(path).canonicalize().is_ok_and(|found| found == file)
        };
        let Some(owners) = vms::owners(table, is_file) else {
            let text = "a table whose virtual machine names or annotations have too many brackets".to_owned();
            return Err(Error::Unexpected { tool: self.program.name, text });
        };
        match owners.as_slice() {
            [] => Ok(None),
            [vmid] => Ok(Some(*vmid)),
            several => {
                let text = format!("{} belongs to several virtual machines: {several:?}", vmx.display());
                Err(Error::Unexpected { tool: self.program.name, text: one_line(&text) })
            }
        }
    }

    /// Returns the machine's options as the host knows them, names to values (`vmsvc/get.config`); it skips those that
    /// cannot be parsed.
    ///
    /// # Errors
    /// Any failure of the tool.
    pub async fn options(&self, vmid: u64, deadline: Instant) -> Result<Vec<(String, String)>, Error> {
        let arguments = ["vmsvc/get.config".to_owned(), vmid.to_string()];
        let output = self.program.succeed(&arguments, LARGE, deadline).await?;
        Ok(vms::options(&String::from_utf8_lossy(self.program.whole(&output)?)))
    }

    /// Has the host read the .vmx file of a registered machine again (`vmsvc/reload`).
    ///
    /// # Errors
    /// Any failure of the tool, e.g. `Failed` if there is no machine of that id.
    pub async fn reload(&self, vmid: u64, deadline: Instant) -> Result<(), Error> {
        let arguments = ["vmsvc/reload".to_owned(), vmid.to_string()];
        self.program.succeed(&arguments, SMALL, deadline).await.map(drop)
    }
}
