//! Stands in for the relay in builds without TLS 1.0 and 1.1: starting one fails.

use std::sync::Arc;
use std::time::Instant;

use reqwest::ClientBuilder;

use crate::wire::endpoint::Endpoint;
use crate::wire::error::{TlsError, WireError};
use crate::wire::tls::verifier::Verifier;
use crate::wire::tls_version::TlsSpoken;

pub(crate) enum Relay {}

impl Relay {
    pub(crate) fn start(endpoint: &Endpoint, _verifier: Arc<Verifier>) -> Result<Self, TlsError> {
        Err(TlsError::NotBuilt { minimum: endpoint.tls_minimum })
    }

    pub(crate) fn route(&self, _client: ClientBuilder) -> ClientBuilder {
        match *self {}
    }

    pub(crate) fn spoken(&self) -> Option<TlsSpoken> {
        match *self {}
    }

    pub(crate) fn failure(&self, _since: Instant) -> Option<WireError> {
        match *self {}
    }

    pub(crate) fn cut(&self, _since: Instant) -> Option<WireError> {
        match *self {}
    }
}
