//! Describes why there is no connection, in plain words.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::time::Duration;

use crate::wire::endpoint::Proxy;
use crate::wire::error::WireError;

/// Time limit for connecting, from the name's resolution to the end of the TLS handshake.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
pub(crate) const USER_AGENT: &str = concat!("nested-vft/", env!("CARGO_PKG_VERSION"));
pub(crate) const NO_SUCH_NAME: &str = "the name does not resolve";
pub(crate) const NO_ANSWER: &str = "the server closed the connection without an answer";

pub(crate) const NOT_HTTP: &str = "the answer is not HTTP";

/// A chain of errors, outermost first.
pub(crate) type Links<'a> = Vec<&'a (dyn StdError + 'static)>;

/// Returns the error of a host that cannot be reached.
pub(crate) fn unreachable(host: &str, port: u16, reason: &str) -> WireError {
    WireError::Connect { host: bracketed(host), port, reason: reason.to_owned() }
}

/// Returns the error of a proxy that cannot be reached.
pub(crate) fn proxy_unreachable(proxy: &Proxy, reason: &str) -> WireError {
    WireError::Proxy { host: bracketed(&proxy.host), port: proxy.port, reason: reason.to_owned() }
}

/// Returns the reason that nothing came within [`CONNECT`].
pub(crate) fn no_answer() -> String {
    format!("no answer within {} s", CONNECT.as_secs())
}

pub(crate) fn proxy_wants_login(proxy: &Proxy) -> WireError {
    let detail = format!("the proxy {}:{} requires authentication", proxy.host, proxy.port);
    WireError::Http { status: 407, detail }
}

pub(crate) fn proxy_refuses(proxy: &Proxy, host: &str, port: u16) -> WireError {
    unreachable(host, port, &format!("the proxy {}:{} refused to connect to the server", proxy.host, proxy.port))
}

/// Returns the error of a connection that could not be made, for a reason other than TLS or the request's time limit.
pub(crate) fn explain(
    error: &reqwest::Error,
    links: &Links<'_>,
    host: &str,
    port: u16,
    proxy: Option<&Proxy>,
) -> WireError {
    let texts: Vec<String> = links.iter().map(ToString::to_string).collect();
    let reason = || reason(error, links);
    let Some(proxy) = proxy else {
        return unreachable(host, port, &reason());
    };
    if texts.iter().any(|text| text.contains("proxy auth")) {
        return proxy_wants_login(proxy);
    }
    if texts.iter().any(|text| text.contains("tunnel error: unsuccessful")) {
        return proxy_refuses(proxy, host, port);
    }
    proxy_unreachable(proxy, &reason())
}

/// Returns `error` and the errors beneath it, outermost first, including those that an `io::Error` wraps.
pub(crate) fn chain<'a>(error: &'a (dyn StdError + 'static)) -> Links<'a> {
    let mut links = Vec::new();
    let mut next = Some(error);
    while let Some(link) = next {
        links.push(link);
        let wrapped = link.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => link.source(),
        };
    }
    links
}

/// Returns the kind of the innermost I/O error.
pub(crate) fn io_kind(links: &Links<'_>) -> Option<ErrorKind> {
    let mut kinds = links.iter().filter_map(|link| link.downcast_ref::<io::Error>());
    kinds.next_back().map(io::Error::kind)
}

/// Describes a failure of the network, if there are plain words for it.
pub(crate) fn plain(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::HostUnreachable => "no route to the host",
        ErrorKind::NetworkUnreachable => "no route to its network",
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the connection was reset",
        ErrorKind::TimedOut => "the connection timed out",
        ErrorKind::UnexpectedEof => "the server closed the connection",
        _ => return None,
    })
}

/// Returns the reason of a failure, in plain words.
pub(crate) fn reason(error: &reqwest::Error, links: &Links<'_>) -> String {
    if error.is_timeout() {
        return no_answer();
    }
    let texts: Vec<String> = links.iter().map(ToString::to_string).collect();
    if texts.iter().any(|text| text.starts_with("dns error")) {
        // A failed lookup has no kind of its own; a thread that could not be started has.
        let refused = io_kind(links) == Some(ErrorKind::WouldBlock);
        return if refused {
            "no thread could be started to resolve the name; check `ulimit -u`"
        } else {
            NO_SUCH_NAME
        }
        .to_owned();
    }
    if let Some(plain) = io_kind(links).and_then(plain) {
        return plain.to_owned();
    }
    let said = |words: &str| texts.iter().any(|text| text.contains(words));
    let plain = if said("invalid HTTP version") {
        NOT_HTTP
    } else if said("before message completed") || said("tunnel error: unexpected end of file") {
        NO_ANSWER
    } else {
        texts.last().map_or("unknown reason", String::as_str)
    };
    plain.to_owned()
}

/// Returns the host without the brackets of an IPv6 literal.
pub(crate) fn bare(host: &str) -> String {
    let host = host.trim();
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).to_owned()
}

/// Returns the host as URLs write it.
pub(crate) fn bracketed(host: &str) -> String {
    let host = bare(host);
    if host.contains(':') { format!("[{host}]") } else { host }
}
