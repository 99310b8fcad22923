//! The tools on Windows, where there are none: with types that have no values, the compiler leaves out whatever needs one.
// The callers await the tools of Unix.
#![expect(clippy::unused_async)]

use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Instant;

use crate::error::Error;
use crate::option::{AdvancedOption, Value};

/// The tools for advanced options.
#[derive(Debug)]
pub struct Shell(Infallible);

impl Shell {
    /// Finds nothing: what is called `esxcli` on Windows is not the tool of an ESXi shell.
    pub fn on_path(_: Option<&OsStr>) -> Option<Self> {
        None
    }

    /// Is never called.
    pub async fn option(&self, _: &str, _: Instant) -> Result<Option<AdvancedOption>, Error> {
        match self.0 {}
    }

    /// Is never called.
    pub async fn all(&self, _: Instant) -> Result<Vec<String>, Error> {
        match self.0 {}
    }

    /// Is never called.
    pub async fn set(&self, _: &AdvancedOption, _: &Value, _: Instant) -> Result<(), Error> {
        match self.0 {}
    }

    /// Is never called.
    pub async fn reset(&self, _: &AdvancedOption, _: Instant) -> Result<(), Error> {
        match self.0 {}
    }
}

/// `vim-cmd`.
#[derive(Debug)]
pub struct VimCmd(Infallible);

impl VimCmd {
    /// Finds nothing.
    pub fn on_path(_: &OsStr) -> Option<Self> {
        None
    }

    /// Is never called.
    pub async fn registered(&self, _: &Path, _: Instant) -> Result<Option<u64>, Error> {
        match self.0 {}
    }

    /// Is never called.
    pub async fn options(&self, _: u64, _: Instant) -> Result<Vec<(String, String)>, Error> {
        match self.0 {}
    }

    /// Is never called.
    pub async fn reload(&self, _: u64, _: Instant) -> Result<(), Error> {
        match self.0 {}
    }
}
