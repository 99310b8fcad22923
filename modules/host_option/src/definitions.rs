//! The definitions of options, which depend on a host's build; read as rarely as possible.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use contract::Error;
use tokio::sync::OnceCell;
use vsphere::{Moref, OptionDef, Session};

use crate::plan::Found;

/// The definitions of one build.
type OfBuild = Rc<OnceCell<Rc<Vec<OptionDef>>>>;

/// The definitions of every build met so far.
#[derive(Default)]
pub struct Definitions(RefCell<BTreeMap<String, OfBuild>>);

impl Definitions {
    /// Gives `found` its definition, or the nearest existing name if the host has no such option.
    ///
    /// Hosts of one build are taken to define an option alike. Which options a host has may still differ with its
    /// hardware, so one that the first host of the build does not define is looked up on this host itself.
    pub async fn complete(
        &self,
        found: &mut Found,
        server: &Session,
        manager: &Moref,
        build: &str,
    ) -> Result<(), Error> {
        let cell = Rc::clone(self.0.borrow_mut().entry(build.to_owned()).or_default());
        let mut own = false;
        let read = async || server.option_definitions(manager).await.map(Rc::new).map_err(vsphere_module::failure);
        let mut all = Rc::clone(
            cell.get_or_try_init(|| {
                own = true;
                read()
            })
            .await?,
        );
        let find = |all: &[OptionDef]| all.iter().find(|one| one.key == found.key).cloned();
        found.definition = find(&all);
        if found.definition.is_none() && found.value.is_some() && !own {
            all = read().await?;
            found.definition = find(&all);
        }
        if found.value.is_none() {
            found.similar = contract::nearest(&found.key, all.iter().map(|one| one.key.as_str())).map(str::to_owned);
        }
        Ok(())
    }
}
