//! Stands in for the leg of TLS 1.0 and 1.1 in builds without it: there is no leg, and asking for one fails.

use std::sync::Arc;
use std::time::Instant;

use reqwest::ClientBuilder;

use crate::error::{Error, TlsError};
use crate::tls::Judge;
use crate::tls_version::TlsSpoken;
use crate::transport::Endpoint;

pub(crate) enum Leg {}

impl Leg {
    pub(crate) fn start(endpoint: &Endpoint, _judge: Arc<Judge>) -> Result<Self, TlsError> {
        Err(TlsError::NotBuilt { minimum: endpoint.tls_minimum })
    }

    pub(crate) fn route(&self, _client: ClientBuilder) -> ClientBuilder {
        match *self {}
    }

    pub(crate) fn spoken(&self) -> Option<TlsSpoken> {
        match *self {}
    }

    pub(crate) fn failure(&self, _since: Instant) -> Option<Error> {
        match *self {}
    }

    pub(crate) fn cut(&self, _since: Instant) -> Option<Error> {
        match *self {}
    }
}
