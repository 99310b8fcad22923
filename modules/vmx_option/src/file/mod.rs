//! In the virtual machine's .vmx file, on the machine where this runs.

mod plan;

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use contract::{Applied, Error, Kind};
use esxcli::VimCmd;
pub use plan::{Hostd, Observed, plan};
use schemars::JsonSchema;
use serde::Serialize;
use vmx::store::{self, Stored};

use crate::options::Found;
use crate::{Args, Change};

/// The file of this run.
pub struct File {
    path: PathBuf,
    /// How to ask hostd; absent unless it is to be asked and can be.
    vim_cmd: Option<VimCmd>,
    /// Until when hostd is waited for.
    deadline: Instant,
    backup: RefCell<Option<PathBuf>>,
    reloaded: Cell<bool>,
}

/// The file that was acted on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FileReport {
    /// Its path; where a link was followed, that of the file behind it.
    pub path: String,
    /// The encoding that it declares; null if it declares none.
    pub encoding: Option<String>,
    /// Path of the copy of the old file; null if none was made.
    pub backup: Option<String>,
    /// Whether hostd was made to read the file again.
    pub reloaded: bool,
    /// What remains to be done before the change counts; null if nothing.
    pub remains: Option<String>,
}

impl FileReport {
    /// Of a run that has changed something or would, and that has failed or not.
    pub fn of(observed: &Observed, changed: bool, failed: bool) -> Self {
        // A check run does not reload, but a real one would.
        let reloads = observed.reloaded || matches!(observed.hostd, Hostd::Registered(_)) && !failed;
        Self {
            path: observed.stored.path.display().to_string(),
            encoding: observed.document.encoding().label().map(str::to_owned),
            backup: observed.backup.as_deref().map(|path| path.display().to_string()),
            reloaded: observed.reloaded,
            remains: (changed && !reloads).then(|| remains(observed)),
        }
    }
}

/// vim-cmd, if it is on PATH.
fn vim_cmd() -> Option<VimCmd> {
    VimCmd::on_path(&std::env::var_os("PATH")?)
}

fn remains(observed: &Observed) -> String {
    let vmid = match observed.hostd {
        Hostd::Registered(vmid) => vmid.to_string(),
        Hostd::NotRegistered => {
            return "nothing, if the virtual machine is registered only now: hostd reads the file then".to_owned();
        }
        Hostd::NotAsked | Hostd::NoTool => "VMID".to_owned(),
    };
    format!(
        "a host on which the virtual machine is registered knows the old options until it reads the file again: run \
         `vim-cmd vmsvc/reload {vmid}` there (`vim-cmd vmsvc/getallvms` shows the VMID), or unregister and register it"
    )
}

/// What is wrong with the path as given.
pub fn problems(path: &Path) -> Vec<String> {
    let text = path.to_string_lossy();
    if text.starts_with('[') {
        return vec![format!(
            "`path`: {text} is a path of a datastore. Give the file's own, such as /vmfs/volumes/datastore1/inner/inner.vmx, \
             or the virtual machine's `name` to go through the API"
        )];
    }
    if text.starts_with('~') {
        return vec!["`path`: `~` is not expanded; give the whole path".to_owned()];
    }
    Vec::new()
}

impl File {
    pub fn new(args: &Args, path: &Path, deadline: Instant) -> Self {
        let vim_cmd = args.reload.then(vim_cmd).flatten();
        Self { path: path.to_owned(), vim_cmd, deadline, backup: RefCell::default(), reloaded: Cell::default() }
    }

    pub async fn observe(&self, args: &Args) -> Result<Observed, Error> {
        let stored = Stored::read(&self.path).map_err(|error| failure(&error))?;
        let document = stored.document.clone();
        let options = args.options.keys().map(|asked| {
            let entry = document.get(asked).map_err(|error| refusal(&stored.path, &error))?;
            Ok(match entry {
                Some(entry) => Found { asked: asked.clone(), key: entry.name, value: Some(entry.value) },
                None => Found { asked: asked.clone(), key: asked.clone(), value: None },
            })
        });
        let options = options.collect::<Result<_, Error>>()?;
        let hostd = match &self.vim_cmd {
            _ if !args.reload => Hostd::NotAsked,
            None => Hostd::NoTool,
            Some(vim_cmd) => {
                match vim_cmd.registered(&stored.path, self.deadline).await.map_err(|error| asking(&error))? {
                    Some(vmid) => Hostd::Registered(vmid),
                    None => Hostd::NotRegistered,
                }
            }
        };
        Ok(Observed {
            in_use: store::in_use(&self.path).iter().map(ToString::to_string).collect(),
            asked: self.path.clone(),
            stored: Rc::new(stored),
            document: Rc::new(document),
            options,
            hostd,
            backup: self.backup.borrow().clone(),
            reloaded: self.reloaded.get(),
        })
    }

    pub async fn apply(&self, args: &Args, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        // Powered on since it was observed: planning again says so.
        if !store::in_use(&self.path).is_empty() {
            return Ok(Applied::Stale { wrote: false });
        }
        let Some(edited) = &change.edited else { return Ok(Applied::Done) };
        match observed.stored.replace(edited, args.backup) {
            Ok(backup) => self.backup.replace(backup),
            Err(store::Error::Stale { .. }) => return Ok(Applied::Stale { wrote: false }),
            Err(error) => return Err(failure(&error)),
        };
        if let (Some(vim_cmd), Hostd::Registered(vmid)) = (&self.vim_cmd, observed.hostd) {
            vim_cmd.reload(vmid, self.deadline).await.map_err(|error| {
                asking(&error)
                    .hint(format!("The file is written; have hostd read it again with `vim-cmd vmsvc/reload {vmid}`."))
            })?;
            self.reloaded.set(true);
        }
        Ok(Applied::Done)
    }
}

/// A failure with the file on disk, in the words of the contract.
fn failure(error: &store::Error) -> Error {
    let failure = |kind| Error::new(kind, error.to_string());
    match (error, error.io_kind()) {
        (store::Error::Document { path, source }, _) => refusal(path, source),
        (store::Error::NotAFile { .. } | store::Error::TooLarge { .. }, _) => failure(Kind::InvalidArguments),
        (store::Error::Unsynced { .. }, _) => failure(Kind::Io).unsettled(),
        (_, Some(ErrorKind::NotFound)) => {
            failure(Kind::NotFound).hint("`path` is that of a file on the machine where this runs.")
        }
        (_, Some(ErrorKind::PermissionDenied)) => {
            failure(Kind::Permission).hint("Run it as a user who may read and write the file and its directory.")
        }
        _ => failure(Kind::Io),
    }
}

/// What the file at `path` cannot be, hold or be given.
fn refusal(path: &Path, error: &vmx::Error) -> Error {
    let text = format!("{}: {error}", path.display());
    match error {
        vmx::Error::Duplicate { .. } => Error::new(Kind::Conflict, text),
        _ => Error::new(Kind::InvalidArguments, text),
    }
}

/// A failure to ask hostd.
fn asking(error: &esxcli::Error) -> Error {
    let timed_out = matches!(error, esxcli::Error::Timeout { .. } | esxcli::Error::NoTime { .. });
    Error::new(if timed_out { Kind::Timeout } else { Kind::Fault }, error.to_string())
}
