//! The ESXi shell's own tools, for programs that run on the host itself: `esxcli system settings advanced` (ESXi 5.0
//! and later) and `esxcfg-advcfg` (since ESX 3.5) for advanced options, `vim-cmd` to have the host read a .vmx file
//! again.
//!
//! No shell runs in between: an argument reaches its tool unchanged, whatever it contains.

#[cfg(windows)]
mod absent;
#[cfg(unix)]
mod advcfg;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod invariants;
mod option;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod record;
#[cfg(unix)]
mod shell;
#[cfg(unix)]
mod vim_cmd;
#[cfg(unix)]
mod vms;

#[cfg(windows)]
pub use absent::{Shell, VimCmd};
pub use error::Error;
pub use option::{AdvancedOption, Tool, Value};
#[cfg(unix)]
pub use shell::Shell;
#[cfg(unix)]
pub use vim_cmd::VimCmd;
