//! Reading the logs.

use std::rc::Rc;
use std::time::Instant;

use contract::{Error, Kind, Run};
use diagnosis::{Catalogue, Release, Timestamp};
use vsphere_module::{RemedyHosts, Server, VmReport};

use crate::args::Args;
use crate::examine::{Examination, Examined};
use crate::{api, local};

/// The server that has the logs, the catalogue of signatures, and the deadline.
pub struct Session {
    pub server: Option<Server>,
    pub catalogue: Rc<Catalogue>,
    pub deadline: Instant,
}

impl contract::Close for Session {
    async fn close(&self) {
        if let Some(server) = &self.server {
            contract::Close::close(server).await;
        }
    }
}

/// The findings in the logs, and what decides about remedies.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub examined: Examined,
    pub vm: Option<VmReport>,
    pub hosts: Option<RemedyHosts>,
    pub release: Option<Release>,
    /// The time from which on events count.
    pub events_since: Option<Timestamp>,
    pub catalogue: Option<Rc<Catalogue>>,
}

pub async fn open(args: &Args, run: &Run) -> Result<Session, Error> {
    let catalogue = Catalogue::known().map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
    let server = match &args.connection {
        _ if args.is_local() => None,
        Some(connection) => Some(connection.open(run).await?),
        None => return Err(Error::new(Kind::InvalidArguments, "set `hostname`, `path` or `text`")),
    };
    Ok(Session { server, catalogue: Rc::new(catalogue), deadline: run.deadline() })
}

pub async fn observe(args: &Args, session: &Session) -> Result<Found, Error> {
    let mut examination = Examination::new(&session.catalogue, session.deadline);
    let mut found = Found { catalogue: Some(Rc::clone(&session.catalogue)), ..Found::default() };
    match (&session.server, &args.text, &args.path) {
        (Some(server), ..) => {
            let seen = api::examine(args, server, &mut examination).await?;
            found.release = seen.version.and_then(|version| version.parse().ok());
            found.hosts = seen.hosts;
            found.vm = Some(seen.vm);
            found.events_since = seen.events_since;
        }
        (None, Some(text), _) => local::text(text, &mut examination).await?,
        (None, None, Some(path)) => local::file(path, args.rotated, &mut examination).await?,
        (None, None, None) => {}
    }
    if session.server.is_none() {
        found.release = args.release().and_then(Result::ok);
        found.hosts = args.hosts();
    }
    found.examined = examination.conclude()?;
    Ok(found)
}
