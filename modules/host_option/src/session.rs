//! The two ways to the options: the API of a server, and the shell of this host.

use std::rc::Rc;

use crate::api::{self, Hosts};
use crate::shell::LocalHost;

/// Where the options are.
pub enum Session {
    Api(Rc<Hosts>),
    Shell(Rc<LocalHost>),
}

impl contract::Close for Session {
    async fn close(&self) {
        if let Self::Api(hosts) = self {
            contract::Close::close(&hosts.server).await;
        }
    }
}

/// One host.
pub enum Host {
    Found(Rc<Hosts>, api::Host),
    /// The one that this runs on.
    Local(Rc<LocalHost>),
}

impl Host {
    pub fn name(&self) -> &str {
        match self {
            Self::Found(_, host) => &host.name,
            Self::Local(host) => &host.name,
        }
    }
}
