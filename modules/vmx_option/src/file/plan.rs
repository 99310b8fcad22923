//! The decision about a .vmx file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use contract::{Error, Kind, Plan, Scalar};
use vmx::Document;
use vmx::store::{LIMIT, Stored};

use super::refusal::refusal;
use crate::args::State;
use crate::options::{Change, Found, differences};

/// The state read from the file and its surroundings.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The file as it was read.
    pub stored: Rc<Stored>,
    /// The content of the file, or its content after the change.
    pub document: Rc<Document>,
    /// The path that was asked for.
    pub asked: PathBuf,
    /// Every option that was asked for.
    pub options: Vec<Found>,
    /// Signs that the virtual machine runs, is suspended or is locked, as sentences.
    pub in_use: Vec<String>,
    /// hostd's knowledge of the file.
    pub hostd: Hostd,
    /// The copy of the old file that this run made.
    pub backup: Option<PathBuf>,
    /// True if this run had hostd read the file again.
    pub reloaded: bool,
}

/// hostd, which keeps a copy of what the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hostd {
    /// Nobody asked.
    NotAsked,
    /// There is no vim-cmd to ask it with.
    NoTool,
    /// It has no virtual machine of this file.
    NotRegistered,
    /// It has the virtual machine by this number, and knows these options of it; none if that could not be made out.
    Registered { vmid: u64, known: Rc<Vec<(String, String)>> },
}

/// Decides. `follow` allows the file to be a symbolic link.
pub fn plan(
    options: &BTreeMap<String, Scalar>,
    state: State,
    follow: bool,
    observed: &Observed,
) -> Result<Plan<Change>, Error> {
    let path = observed.stored.path.display();
    if let Some(link) = observed.stored.link.as_ref().filter(|_| !follow) {
        return Err(Error::new(
            Kind::Conflict,
            format!("{} is a symbolic link to {}", observed.asked.display(), link.display()),
        )
        .hint("Give the file itself, or `follow: true` to edit it through the link."));
    }
    if observed.hostd == Hostd::NoTool {
        return Err(Error::new(
            Kind::Unsupported,
            "`reload` needs vim-cmd, which is not on PATH: this is not an ESXi shell",
        )
        .hint("Remove `reload`; the result then says how to make the host read the file."));
    }
    // In a file an empty value is a value: removing takes its line out.
    let changes = differences(options, state, &observed.options, false);
    let mut edited = Document::clone(&observed.document);
    for (key, value) in &changes {
        match value {
            Some(value) => edited.set(key, value).map_err(|error| refusal(&observed.stored.path, &error))?,
            None => edited.remove(key).map(drop).map_err(|error| refusal(&observed.stored.path, &error))?,
        }
    }
    if edited.bytes().len() as u64 > LIMIT {
        return Err(Error::new(Kind::InvalidArguments, format!("{path} would have more than {LIMIT} bytes"))
            .hint("Check the values: no .vmx file is that large."));
    }
    // A run that wrote the file and could not have it read again is made up for here.
    let reload = match &observed.hostd {
        Hostd::Registered { vmid, known } => {
            (!changes.is_empty() || observed.options.iter().any(|found| is_old(known, found))).then_some(*vmid)
        }
        _ => None,
    };
    let mut plan = Plan::from(Change { options: changes, edited: Some(Rc::new(edited)), reload });
    if !plan.change.options.is_empty()
        && let Some(sign) = observed.in_use.first()
    {
        plan.blockers.push((
            Kind::Conflict,
            sign.clone(),
            Some("Power the virtual machine off first. If it is off, delete the stale file.".to_owned()),
        ));
    }
    if observed.hostd == Hostd::NotRegistered && !plan.change.options.is_empty() {
        plan.warnings.push(format!("hostd has no virtual machine with {path}, so nothing is reloaded"));
    }
    if state == State::Present {
        plan.warnings.extend(meaningless(options, observed));
    }
    plan.warnings.extend(observed.document.conflicts().iter().map(|conflict| {
        format!(
            "{path} defines {} twice with different values, in lines {} and {}",
            conflict.key, conflict.first_line, conflict.second_line
        )
    }));
    Ok(plan)
}

/// True if hostd knows another value of an option than the file has.
///
/// An option that hostd does not list may still be known to it: hostd's configuration keeps many names of the file as
/// settings of their own. So only some options are certain to be missing there.
fn is_old(known: &[(String, String)], found: &Found) -> bool {
    const EXTRA: [&str; 3] = ["replay.", "guestinfo.", "vm.uselegacyft"];
    let name = found.asked.to_ascii_lowercase();
    let value = known.iter().find(|(key, _)| key.eq_ignore_ascii_case(&name)).map(|(_, value)| value.as_str());
    match (value, found.value.as_deref()) {
        (Some(value), Some(there)) => !contract::same_value(value, there),
        (Some(value), None) => !value.is_empty(),
        (None, Some(_)) => !known.is_empty() && EXTRA.iter().any(|extra| name.starts_with(extra)),
        (None, None) => false,
    }
}

/// The record/replay options in the file of a virtual machine that no host with record/replay Fault Tolerance runs.
fn meaningless(options: &BTreeMap<String, Scalar>, observed: &Observed) -> Option<String> {
    let replay = options.keys().find(|key| key.to_ascii_lowercase().starts_with("replay."))?;
    let entry = observed.document.get("virtualHW.version").ok()??;
    // Hardware version 13 came with ESXi 6.5, which has another engine only.
    let version: u32 = entry.value.trim().parse().ok().filter(|version| *version >= 13)?;
    Some(format!(
        "{replay} has no effect: it is for the record/replay Fault Tolerance of vSphere 4 and 5, and virtual hardware version {version} needs ESXi 6.5 or later, which has another engine"
    ))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
