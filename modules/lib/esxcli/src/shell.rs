//! Advanced options through whichever tools the host has.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::error::{Error, one_line};
use crate::option::{AdvancedOption, Tool, Value};
use crate::program::{LARGE, Program, SMALL};
use crate::{advcfg, record};

/// The tools of the ESXi shell that this program runs in.
#[derive(Debug)]
pub struct Shell {
    esxcli: Option<Program>,
    advcfg: Option<Program>,
    /// esxcli could not tell and esxcfg-advcfg could: an ESX 4.x, whose esxcli has no `system settings`.
    esxcli_useless: AtomicBool,
}

impl Shell {
    /// The tools that are in the folders of `path`, a value of PATH; the first executable regular file of each name counts,
    /// empty and relative folders do not. `None` when there is neither `esxcli` nor `esxcfg-advcfg`: not an ESXi shell.
    pub fn on_path(path: Option<&OsStr>) -> Option<Self> {
        let path = path?;
        let (esxcli, advcfg) = (Program::find("esxcli", path), Program::find("esxcfg-advcfg", path));
        (esxcli.is_some() || advcfg.is_some()).then(|| Self { esxcli, advcfg, esxcli_useless: AtomicBool::new(false) })
    }

    /// The option called `path`, e.g. `/Migrate/VMotionStreamDisable`, or `None` if the host has no such option.
    ///
    /// esxcli is asked first; if it fails with anything but "no such option" and there is esxcfg-advcfg, that is asked, and
    /// asked alone from then on if it could tell.
    ///
    /// # Errors
    /// Any failure of the tool, or `Both`.
    pub async fn option(&self, path: &str, deadline: Instant) -> Result<Option<AdvancedOption>, Error> {
        let esxcli = match (self.asked_esxcli(), &self.advcfg) {
            (Some(esxcli), None) => return list(esxcli, path, deadline).await,
            (Some(esxcli), Some(_)) => match list(esxcli, path, deadline).await {
                Ok(found) => return Ok(found),
                Err(error) if Instant::now() >= deadline => return Err(error),
                Err(error) => Some(Box::new(error)),
            },
            (None, _) => None,
        };
        match (get(self.advcfg()?, path, deadline).await, esxcli) {
            (Ok(found), _) => {
                self.esxcli_useless.store(true, Ordering::Relaxed);
                Ok(found)
            }
            (Err(advcfg), Some(esxcli)) => Err(Error::Both { esxcli, advcfg: Box::new(advcfg) }),
            (Err(error), None) => Err(error),
        }
    }

    /// The paths of all options, in the host's order. Empty when only esxcfg-advcfg can tell about options here.
    ///
    /// # Errors
    /// Any failure of esxcli.
    pub async fn all(&self, deadline: Instant) -> Result<Vec<String>, Error> {
        let Some(esxcli) = self.asked_esxcli() else { return Ok(Vec::new()) };
        let output = esxcli.succeed(&settings("list", None), LARGE, deadline).await?;
        let text = String::from_utf8_lossy(esxcli.whole(&output)?);
        record::paths(&text).map_err(|text| unexpected(esxcli, &text))
    }

    /// Sets an option, with the tool and the type that were reported for it. Read it again afterwards: the tools
    /// promise no more than an exit status of 0.
    ///
    /// # Errors
    /// Any failure of the tool; [`Error::unsettled`] says whether the value may have been set anyway.
    pub async fn set(&self, option: &AdvancedOption, value: &Value, deadline: Instant) -> Result<(), Error> {
        let flag = match option.value {
            Value::Integer(_) => "int-value",
            Value::Text(_) => "string-value",
        };
        match option.tool {
            Tool::Esxcli => self.change(&option.path, format!("--{flag}={value}"), deadline).await,
            Tool::EsxcfgAdvcfg => {
                let arguments = ["-s".to_owned(), value.to_string(), option.path.clone()];
                self.advcfg()?.succeed(&arguments, SMALL, deadline).await.map(drop)
            }
        }
    }

    /// Resets an option to its default, which esxcfg-advcfg knows but does not print.
    ///
    /// # Errors
    /// The same as [`Shell::set`].
    pub async fn reset(&self, option: &AdvancedOption, deadline: Instant) -> Result<(), Error> {
        match option.tool {
            Tool::Esxcli => self.change(&option.path, "--default".to_owned(), deadline).await,
            Tool::EsxcfgAdvcfg => {
                let arguments = ["-d".to_owned(), option.path.clone()];
                self.advcfg()?.succeed(&arguments, SMALL, deadline).await.map(drop)
            }
        }
    }

    async fn change(&self, path: &str, to: String, deadline: Instant) -> Result<(), Error> {
        let esxcli = self.esxcli.as_ref().ok_or(Error::Missing { tool: "esxcli" })?;
        let mut arguments = settings("set", Some(path));
        arguments.push(to);
        esxcli.succeed(&arguments, SMALL, deadline).await.map(drop)
    }

    /// esxcli, unless it has turned out to be one that knows nothing of options.
    fn asked_esxcli(&self) -> Option<&Program> {
        self.esxcli.as_ref().filter(|_| !self.esxcli_useless.load(Ordering::Relaxed))
    }

    fn advcfg(&self) -> Result<&Program, Error> {
        self.advcfg.as_ref().ok_or(Error::Missing { tool: "esxcfg-advcfg" })
    }
}

async fn list(esxcli: &Program, path: &str, deadline: Instant) -> Result<Option<AdvancedOption>, Error> {
    let arguments = settings("list", Some(path));
    let output = esxcli.run(&arguments, SMALL, deadline).await?;
    if !output.status.success() {
        let unknown = output.text().to_ascii_lowercase().contains("unable to find option");
        return if unknown { Ok(None) } else { Err(esxcli.failed(&arguments, &output)) };
    }
    let text = String::from_utf8_lossy(esxcli.whole(&output)?);
    record::find(&text, path).map(Some).map_err(|text| unexpected(esxcli, &text))
}

async fn get(advcfg: &Program, path: &str, deadline: Instant) -> Result<Option<AdvancedOption>, Error> {
    let arguments = ["-g".to_owned(), path.to_owned()];
    let output = advcfg.run(&arguments, SMALL, deadline).await?;
    if !output.status.success() {
        let unknown = advcfg::says_unknown(output.status, &output.text());
        return if unknown { Ok(None) } else { Err(advcfg.failed(&arguments, &output)) };
    }
    let text = String::from_utf8_lossy(advcfg.whole(&output)?);
    advcfg::option(&text, path).map(Some).map_err(|text| unexpected(advcfg, &text))
}

fn unexpected(program: &Program, text: &str) -> Error {
    Error::Unexpected { tool: program.name, text: one_line(text) }
}

/// Returns the arguments of `esxcli system settings advanced COMMAND`, for one option if there is a path. Every long
/// option uses `=`: esxcli would otherwise read a value that begins with `-` as an option.
fn settings(command: &str, path: Option<&str>) -> Vec<String> {
    let words = ["system", "settings", "advanced", command].map(str::to_owned);
    words.into_iter().chain(path.map(|path| format!("--option={path}"))).collect()
}
