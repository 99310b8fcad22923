//! When a request is made again: the one policy for everything that only reads, for logins and for logouts.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::error::Error;
use crate::fault::Fault;
use crate::transport::{REQUEST, Transport};

/// The pauses between tries: 100 ms, doubling up to 2 s, each made longer at random by up to its own length.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(2))
        .without_max_times()
        .with_jitter()
        .build()
}
/// How often a failure that may be permanent is tried again.
const FEW: u32 = 4;

/// How long a failure is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// It is permanent.
    None,
    /// It may be permanent: try [`FEW`] more times.
    Few,
    /// It will pass: try until the deadline.
    Deadline,
}

impl Transport {
    /// Makes an attempt, and after a transient failure another one, until the run's deadline.
    ///
    /// - Until the deadline: no answer in time, HTTP 429, 502, 503 and 504, busy faults (`TaskInProgress`, …), and once the
    ///   server has answered before, connections that fail or drop.
    /// - A few times, about three seconds: a first connection that drops; faults that say that the server lost contact with a
    ///   host, or nothing more than that something went wrong; damaged answers of a server that has answered well before.
    /// - Never: anything else, such as a name that does not resolve, a refused first connection, an untrusted certificate, and
    ///   every fault that is about the request itself.
    ///
    /// `attempt` must change nothing on the server that matters if it is done twice.
    pub(crate) async fn persist<T>(&self, attempt: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
        let end = self.deadline().unwrap_or_else(|| Instant::now() + REQUEST);
        let mut few = FEW;
        let mut pauses = pauses();
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match patience(&error, self.is_proven()) {
                Patience::None => return Err(error),
                Patience::Few if few == 0 => return Err(error),
                Patience::Few => few -= 1,
                Patience::Deadline => {}
            }
            let pause = pauses.next().unwrap_or_default();
            if Instant::now() + pause >= end {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// How long `error` is worth another try; `proven` says that the server has answered as vSphere does before.
fn patience(error: &Error, proven: bool) -> Patience {
    match error {
        Error::Timeout { .. } | Error::Http { status: 429 | 502..=504, .. } => Patience::Deadline,
        Error::Dropped { .. } | Error::Connect { .. } if proven => Patience::Deadline,
        Error::Dropped { .. } => Patience::Few,
        Error::Protocol(_) | Error::Tls(_) | Error::Http { status: 500, .. } if proven => Patience::Few,
        Error::Fault(fault) if fault.is_busy() => Patience::Deadline,
        Error::Fault(fault) if fault.is_lost_contact() || fault.is_general() => Patience::Few,
        _ => Patience::None,
    }
}

impl Fault {
    /// The object or the server is busy: the same request will do in a moment.
    pub(crate) fn is_busy(&self) -> bool {
        ["TaskInProgress", "ResourceInUse", "RequestCanceled"].iter().any(|name| self.is(name))
    }

    /// vCenter lost contact with the host: what the host does is not known.
    pub(crate) fn is_lost_contact(&self) -> bool {
        let names = ["HostCommunication", "HostNotReachable", "HostConnectFault", "RequestCanceled", "Timedout"];
        names.iter().any(|name| self.is(name))
    }

    /// Says nothing but that something went wrong (`SystemError`, a base type, or no type at all).
    pub(crate) fn is_general(&self) -> bool {
        ["SystemError", "RuntimeFault", "MethodFault", ""].iter().any(|name| self.is(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        use Patience::{Deadline, Few, None};
        let (host, reason) = (String::from("vc"), String::from("reset"));
        let fault = |name: &str| Error::Fault(Fault { name: name.to_owned(), ..Fault::default() });
        let http = |status| Error::Http { status, detail: String::new() };
        for (error, at_first, later) in [
            (Error::Connect { host: host.clone(), port: 443, reason: reason.clone() }, None, Deadline),
            (Error::Dropped { what: "Login".into(), host, port: 443, reason }, Few, Deadline),
            (Error::Timeout { what: "Login".into(), seconds: 1 }, Deadline, Deadline),
            (http(503), Deadline, Deadline),
            (http(500), None, Few),
            (http(404), None, None),
            (Error::Protocol("damaged".into()), None, Few),
            (fault("TaskInProgress"), Deadline, Deadline),
            (fault("HostCommunication"), Few, Few),
            (fault("SystemError"), Few, Few),
            (fault("NoPermission"), None, None),
            (fault("InvalidLogin"), None, None),
            (fault("NotAuthenticated"), None, None),
            (Error::SessionRenewed, None, None),
        ] {
            assert_eq!((patience(&error, false), patience(&error, true)), (at_first, later), "{error:?}");
        }
    }
}
