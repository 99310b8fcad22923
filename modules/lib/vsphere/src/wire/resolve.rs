//! Resolves host names to addresses.

use std::io;
use std::net::ToSocketAddrs;
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

/// Resolves names as the system does, each on its own thread. If the system refuses a thread, the lookup fails; reqwest's
/// own resolver would panic.
pub(crate) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let (send, found) = oneshot::channel();
            thread::Builder::new().spawn(move || {
                let addresses = (name.as_str(), 0).to_socket_addrs();
                // Nobody waits for it if the run is over.
                let _ = send.send(addresses);
            })?;
            let addresses = found.await.map_err(io::Error::other)??;
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
