//! In the virtual machine's .vmx file, on the machine where this runs.

mod plan;
mod refusal;

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use contract::{Applied, Error, Kind};
use esxcli::VimCmd;
pub use plan::{Hostd, Observed, plan};
use schemars::JsonSchema;
use serde::Serialize;
use vmx::store::{self, Lock, Stored};

use self::refusal::refusal;
use crate::args::Args;
use crate::options::{Change, Found};

/// The file of this run.
pub struct File {
    path: PathBuf,
    /// The tool that asks hostd; absent if hostd cannot be asked or need not be.
    vim_cmd: Option<VimCmd>,
    /// Until when hostd is waited for.
    deadline: Instant,
    /// hostd's answer; it is asked once per run.
    hostd: RefCell<Option<Hostd>>,
    backup: RefCell<Option<PathBuf>>,
    reloaded: Cell<bool>,
    /// Set from the first write until the run ends, so that no other run writes between the write and its check.
    lock: RefCell<Option<Lock>>,
    /// The file that is to be locked before it is observed again.
    contended: RefCell<Option<PathBuf>>,
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
    /// The step that is needed before the change takes effect; null if there is none.
    pub remains: Option<String>,
}

impl FileReport {
    /// Describes the file; `changed` is true if the run has changed something or would.
    pub fn of(observed: &Observed, changed: bool) -> Self {
        Self {
            path: observed.stored.path.display().to_string(),
            encoding: observed.document.encoding().label().map(str::to_owned),
            backup: observed.backup.as_deref().map(|path| path.display().to_string()),
            reloaded: observed.reloaded,
            remains: (changed && !observed.reloaded).then(|| remains(observed)),
        }
    }
}

/// vim-cmd, if it is on PATH.
fn vim_cmd() -> Option<VimCmd> {
    VimCmd::on_path(&std::env::var_os("PATH")?)
}

fn remains(observed: &Observed) -> String {
    let vmid = match &observed.hostd {
        Hostd::Registered { vmid, .. } => vmid.to_string(),
        Hostd::NotRegistered => return "register the virtual machine: the host then reads the file".to_owned(),
        Hostd::NotAsked | Hostd::NoTool => "VMID".to_owned(),
    };
    format!(
        "the host where the virtual machine is registered uses the old options until it reads the file again: run `vim-cmd vmsvc/reload {vmid}` there (`vim-cmd vmsvc/getallvms` shows the VMID), or unregister and register the virtual machine"
    )
}

impl File {
    pub fn new(args: &Args, path: &Path, deadline: Instant) -> Self {
        let vim_cmd = args.reload.then(vim_cmd).flatten();
        Self {
            path: path.to_owned(),
            vim_cmd,
            deadline,
            hostd: RefCell::default(),
            backup: RefCell::default(),
            reloaded: Cell::default(),
            lock: RefCell::default(),
            contended: RefCell::default(),
        }
    }

    pub async fn observe(&self, args: &Args) -> Result<Observed, Error> {
        let contended = self.contended.take();
        if let Some(path) = contended {
            self.lock.replace(Some(self.acquire(&path).await?));
        }
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
        let asked = self.hostd.borrow().clone();
        let hostd = match asked {
            Some(hostd) => hostd,
            None if args.reload => self.ask(&stored.path).await.map_err(|error| asking(&error))?,
            None => Hostd::NotAsked,
        };
        self.hostd.replace(Some(hostd.clone()));
        Ok(Observed {
            in_use: stored.in_use(&self.path).iter().map(ToString::to_string).collect(),
            asked: self.path.clone(),
            stored: Rc::new(stored),
            document: Rc::new(document),
            options,
            hostd,
            backup: self.backup.borrow().clone(),
            reloaded: self.reloaded.get(),
        })
    }

    /// Waits for the lock of the file's directory.
    async fn acquire(&self, path: &Path) -> Result<Lock, Error> {
        loop {
            if let Some(lock) = Lock::try_acquire(path) {
                return Ok(lock);
            }
            if Instant::now() >= self.deadline {
                let path = path.display();
                return Err(Error::new(
                    Kind::Timeout,
                    format!("another process holds a lock on the directory of {path}"),
                )
                .hint("Run the task again when the other process has ended, or set a longer `timeout`."));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks hostd what it knows of the file at `path`.
    async fn ask(&self, path: &Path) -> Result<Hostd, esxcli::Error> {
        let Some(vim_cmd) = &self.vim_cmd else { return Ok(Hostd::NoTool) };
        let Some(vmid) = vim_cmd.registered(path, self.deadline).await? else { return Ok(Hostd::NotRegistered) };
        Ok(Hostd::Registered { vmid, known: Rc::new(vim_cmd.options(vmid, self.deadline).await?) })
    }

    pub async fn apply(&self, args: &Args, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        let mut remedy = "";
        if let Some(edited) = change.edited.as_ref().filter(|_| !change.options.is_empty()) {
            let stored = &observed.stored;
            let mut lock = self.lock.borrow_mut();
            if !lock.as_ref().is_some_and(|lock| lock.covers(&stored.path)) {
                *lock = Lock::try_acquire(&stored.path);
            }
            let Some(lock) = lock.as_ref() else {
                // Another run writes. Waiting here would count as a write under way.
                self.contended.replace(Some(stored.path.clone()));
                return Ok(Applied::Stale { wrote: false });
            };
            // Powered on since it was observed: planning again says so. What the file says by then is for `replace` to see.
            if !stored.in_use(&self.path).is_empty() {
                return Ok(Applied::Stale { wrote: false });
            }
            match stored.replace(lock, edited, args.backup) {
                Ok(backup) => self.backup.replace(backup),
                Err(store::Error::Stale { .. }) => return Ok(Applied::Stale { wrote: false }),
                Err(error) => return Err(failure(&error)),
            };
            remedy = "The file is written. ";
        }
        if let (Some(vim_cmd), Some(vmid)) = (&self.vim_cmd, change.reload) {
            vim_cmd.reload(vmid, self.deadline).await.map_err(|error| {
                asking(&error).hint(format!(
                    "{remedy}Run the task again, or run `vim-cmd vmsvc/reload {vmid}` so that the host reads the file."
                ))
            })?;
            self.reloaded.set(true);
            self.hostd.replace(Some(Hostd::Registered { vmid, known: Rc::default() }));
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
        (store::Error::Unsynced { .. }, _) => failure(Kind::Io).partly(),
        (_, Some(ErrorKind::NotFound)) => {
            failure(Kind::NotFound).hint("`path` names a file on the machine where this program runs.")
        }
        (_, Some(ErrorKind::PermissionDenied)) => {
            failure(Kind::Permission).hint("Run it as a user who may read and write the file and its directory.")
        }
        _ => failure(Kind::Io),
    }
}

/// A failure to ask hostd.
fn asking(error: &esxcli::Error) -> Error {
    let timed_out = matches!(error, esxcli::Error::Timeout { .. } | esxcli::Error::NoTime { .. });
    Error::new(if timed_out { Kind::Timeout } else { Kind::Fault }, error.to_string())
}
