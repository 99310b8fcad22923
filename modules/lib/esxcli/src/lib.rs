//! The ESXi shell's own tools, for programs that run on the host itself: `esxcli system settings advanced` (ESXi 5.0
//! and later) and `esxcfg-advcfg` (since ESX 3.5) for advanced options, `vim-cmd` to have the host read a .vmx file
//! again.
//!
//! No shell runs in between: an argument reaches its tool unchanged, whatever it contains.
//!
//! On Windows no tool is ever found, and a program holds no code of this crate that needs one.

mod advcfg;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod invariants;
mod option;
mod program;
mod record;
mod shell;
mod vim_cmd;
mod vms;

pub use error::Error;
pub use option::{AdvancedOption, Tool, Value};
pub use shell::Shell;
pub use vim_cmd::VimCmd;
