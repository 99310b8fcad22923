//! The retry policy: one for reads, logins and logouts.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::session::error::Error;
use crate::soap::error::SoapError;
use crate::wire::error::WireError;
use crate::wire::transport::{REQUEST, Transport};

/// Number of retries of a failure that may be permanent.
const FEW: u32 = 4;

/// Returns pauses that double from `first` up to 2 s, without end.
pub(super) fn doubling(first: Duration) -> ExponentialBuilder {
    ExponentialBuilder::new().with_min_delay(first).with_max_delay(Duration::from_secs(2)).without_max_times()
}

/// Returns the pauses between attempts: 100 ms, doubling up to 2 s, each made longer at random by up to its own length.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    doubling(Duration::from_millis(100)).with_jitter().build()
}

/// How long a failure is worth a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// The failure is permanent.
    None,
    /// The failure may be permanent: retry [`FEW`] times.
    Few,
    /// The failure is transient: retry until the deadline.
    Deadline,
}

/// Makes an attempt, and after a transient failure another one, until the run's deadline.
///
/// - Until the deadline: no answer in time, HTTP 429, 502, 503 and 504, busy faults (`TaskInProgress`, …), and connections that
///   fail or drop, if the server has answered before.
/// - A few times, about three seconds: a first connection that drops; faults that say only that the server lost contact with a
///   host, or that something went wrong; damaged answers of a server that has answered well before.
/// - Never: anything else, such as a name that does not resolve, a refused first connection, an untrusted certificate, and
///   every fault that is about the request itself.
///
/// Repeating `attempt` must do no harm on the server.
pub(super) async fn persist<T>(transport: &Transport, attempt: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    let end = transport.deadline().unwrap_or_else(|| Instant::now() + REQUEST);
    let mut few = FEW;
    let mut pauses = pauses();
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match patience(&error, transport.is_proven()) {
            Patience::None => return Err(error),
            Patience::Few if few == 0 => return Err(error),
            Patience::Few => few -= 1,
            Patience::Deadline => {}
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(error);
        }
        // The last pause is shorter: the last attempt is made when the time is over.
        tokio::time::sleep(pauses.next().unwrap_or_default().min(left)).await;
    }
}

/// Decides how long `error` is worth a retry; `proven` says that the server has answered as vSphere does before.
fn patience(error: &Error, proven: bool) -> Patience {
    use WireError as W;
    match error {
        Error::Soap(SoapError::TooLarge { .. }) => Patience::None,
        Error::Wire(W::Timeout { .. } | W::Http { status: 429 | 502..=504, .. }) => Patience::Deadline,
        Error::Wire(W::Dropped { .. } | W::Connect { .. } | W::Proxy { .. }) if proven => Patience::Deadline,
        Error::Wire(W::Dropped { .. }) => Patience::Few,
        Error::Wire(W::Tls(_) | W::Http { status: 500, .. }) | Error::Soap(_) | Error::Protocol(_) if proven => {
            Patience::Few
        }
        Error::Fault(fault) if fault.is_busy() => Patience::Deadline,
        Error::Fault(fault) if fault.is_lost_contact() || fault.is_general() => Patience::Few,
        _ => Patience::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::fault::Fault;

    #[test]
    fn only_transient_failures_are_retried() {
        use Patience::{Deadline, Few, None};
        use WireError::{Connect, Dropped, Http, Timeout};
        let (host, reason) = (String::from("vc"), String::from("reset"));
        let fault = |name: &str| Error::Fault(Fault { name: name.to_owned(), ..Fault::default() });
        let http = |status| Http { status, detail: String::new() }.into();
        for (error, at_first, later) in [
            (Connect { host: host.clone(), port: 443, reason: reason.clone() }.into(), None, Deadline),
            (Dropped { what: "Login".into(), host, port: 443, reason }.into(), Few, Deadline),
            (Timeout { what: "Login".into(), seconds: 1 }.into(), Deadline, Deadline),
            (http(503), Deadline, Deadline),
            (http(500), None, Few),
            (http(404), None, None),
            (Error::Protocol("no task".into()), None, Few),
            (SoapError::Malformed("damaged".into()).into(), None, Few),
            (SoapError::TooLarge { limit: 1 }.into(), None, None),
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
