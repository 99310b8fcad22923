//! The options where they are: behind the API or in a file.

use std::rc::Rc;

use contract::{Error, Kind};
use serde_json::Value;
use vsphere_module::Server;

use crate::file::{self, File, Hostd};
use crate::options::{self, Change, Found};
use crate::vm;

/// Where the options are.
#[allow(clippy::large_enum_variant)] // there is one a run
pub enum Session {
    Server(Server),
    File(File),
}

impl contract::Close for Session {
    async fn close(&self) {
        if let Self::Server(server) = self {
            contract::Close::close(server).await;
        }
    }
}

#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // there are a few a run
pub enum Observed {
    Vm(vm::Observed),
    File(file::Observed),
}

impl Observed {
    pub fn options(&self) -> &[Found] {
        match self {
            Self::Vm(vm) => &vm.options,
            Self::File(file) => &file.options,
        }
    }
}

impl contract::Observed for Observed {
    fn view(&self) -> Value {
        self.options().iter().filter_map(|found| Some((found.key.clone(), Value::from(found.value.clone()?)))).collect()
    }

    fn unified(&self, after: &Self) -> Option<String> {
        let (Observed::File(before), Observed::File(after)) = (self, after) else { return None };
        let path = before.stored.path.display();
        Some(vmx::diff(&before.document, &after.document, &format!("{path} (before)"), &format!("{path} (after)")))
    }
}

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        self.options.is_empty() && self.reload.is_none()
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let mut after = observed.clone();
        match &mut after {
            Observed::Vm(vm) => options::predict(&mut vm.options, &self.options),
            Observed::File(file) => {
                options::predict(&mut file.options, &self.options);
                if let Some(edited) = &self.edited {
                    file.document = Rc::clone(edited);
                }
                if let Some(vmid) = self.reload {
                    file.hostd = Hostd::Registered { vmid, known: Rc::default() };
                    file.reloaded = true;
                }
            }
        }
        after
    }

    fn unapplied(&self) -> Error {
        let keys = self.keys();
        if self.edited.is_some() {
            return Error::new(
                Kind::Conflict,
                format!("another process overwrote the file after it was written: {keys}"),
            )
            .unsettled()
            .hint("Power the virtual machine off, and run the task again.");
        }
        Error::new(Kind::Unsupported, format!("vSphere accepted the change, but ignored {keys}")).hint(
            "If the virtual machine's configuration has a dedicated setting for this option, change that setting instead.",
        )
    }
}
