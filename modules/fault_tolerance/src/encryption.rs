//! The decision about the encryption of Fault Tolerance.

use contract::{Error, Kind};
use vsphere_module::Named as _;

use crate::args::{Encryption, State, Wish};
use crate::state::{FtState, Observed};

/// Returns the encryption to set before Fault Tolerance is turned on; `None` if it is set already. Fails if it cannot change.
pub fn to_set(wish: Wish, observed: &Observed) -> Result<Option<Encryption>, Error> {
    let Some(wanted) = wish.encryption.filter(|_| wish.state != State::Absent) else { return Ok(None) };
    let label = observed.label();
    if !observed.has_encryption() {
        let text = format!(
            "`encryption` needs vSphere 7.0 Update 2 (API 7.0.2.0) or later: {label} runs on ESXi {}, and the server speaks API {}",
            observed.host_version, observed.spoken
        );
        return Err(
            Error::new(Kind::Unsupported, text).hint("Remove `encryption`, or upgrade the server and its hosts.")
        );
    }
    if observed.encryption == Some(wanted) {
        return Ok(None);
    }
    if observed.encrypted {
        let text = format!(
            "{label} is an encrypted virtual machine, whose Fault Tolerance traffic is always encrypted: `encryption` cannot be {}",
            wanted.word()
        );
        return Err(Error::new(Kind::Conflict, text).hint("Set `encryption: required`, or remove `encryption`."));
    }
    if observed.state != FtState::NotConfigured {
        let now = observed.encryption.map_or("in an unknown mode", Encryption::word);
        let text = format!(
            "the encryption of Fault Tolerance of {label} is {now}, and can only change to {} while Fault Tolerance is off",
            wanted.word()
        );
        let remedy = "Turn Fault Tolerance off with `state: absent`, then run the task again. The virtual machine is unprotected meanwhile.";
        return Err(Error::new(Kind::Conflict, text).hint(remedy));
    }
    Ok(Some(wanted))
}

/// Returns the failure if the server accepted the encryption and does not show it.
pub fn unset(encryption: Encryption, observed: &Observed) -> Error {
    let text = format!(
        "vSphere accepted `encryption: {}` for {}, but reading back shows that it did not take effect",
        encryption.word(),
        observed.label()
    );
    Error::new(Kind::Fault, text).hint("Fault Tolerance was not turned on. Check the events of the virtual machine.")
}

#[cfg(test)]
#[path = "encryption_tests.rs"]
mod tests;
