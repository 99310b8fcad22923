//! Who may do what: the privileges of the user who logs in, and the objects that they count on.

use crate::fault::{Fault, Result};
use crate::model::host::{EXECUTER, MANAGER};
use crate::model::options;
use crate::value::Ref;

use super::World;

/// The privilege to see that an object exists. Every role has it, with `System.Read`.
const VIEW: &str = "System.View";

/// Prefixes of the moids of a host's managers; the rest is the moid of the host.
const MANAGERS: [&str; 3] = ["virtualNicManager-", EXECUTER, MANAGER];

impl World {
    /// Fails with `NoPermission` unless the user has the privilege on this object.
    pub fn permit(&self, object: &Ref, privilege: &'static str) -> Result<()> {
        match &self.grants {
            Some(grants) if !grants.allow(object, privilege) => Err(Fault::no_permission(object, privilege)),
            _ => Ok(()),
        }
    }

    /// Fails with `NoPermission` if the user may not see this object. Everybody sees what is not in the inventory.
    pub fn visible(&self, object: &Ref) -> Result<()> {
        self.owner(&object.moid).map_or(Ok(()), |owner| self.permit(&owner, VIEW))
    }

    /// The object of the inventory whose permissions count for this one: itself, or the host of a manager.
    pub fn owner(&self, moid: &str) -> Option<Ref> {
        let managed = MANAGERS.iter().find_map(|prefix| moid.strip_prefix(prefix)).map(ToOwned::to_owned);
        self.reference(moid).or_else(|| self.reference(&options::managed_host(moid).or(managed)?))
    }
}
