//! Why there is no connection, in plain words.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::time::Duration;

use crate::error::Error;
use crate::transport::Proxy;

/// How long connecting may take, from the name's resolution to the end of the TLS handshake.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
pub(crate) const NO_SUCH_NAME: &str = "the name does not resolve";
pub(crate) const NO_ANSWER: &str = "the server closed the connection without an answer";

/// A chain of errors, outermost first.
pub(crate) type Links<'a> = Vec<&'a (dyn StdError + 'static)>;

pub(crate) fn unreachable(host: &str, port: u16, reason: &str) -> Error {
    Error::Connect { host: bracketed(host), port, reason: reason.to_owned() }
}

/// Nothing came within [`CONNECT`].
pub(crate) fn no_answer() -> String {
    format!("no answer within {} s", CONNECT.as_secs())
}

pub(crate) fn proxy_wants_login(proxy: &Proxy) -> Error {
    let detail = format!("the proxy {}:{} wants authentication", proxy.host, proxy.port);
    Error::Http { status: 407, detail }
}

pub(crate) fn proxy_refuses(proxy: &Proxy, host: &str, port: u16) -> Error {
    unreachable(host, port, &format!("the proxy {}:{} refuses to connect there", proxy.host, proxy.port))
}

/// A connection that could not be made, for a reason other than TLS or the request's time limit.
pub(crate) fn explain(
    error: &reqwest::Error,
    links: &Links<'_>,
    host: &str,
    port: u16,
    proxy: Option<&Proxy>,
) -> Error {
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
    unreachable(&proxy.host, proxy.port, &reason())
}

/// The errors beneath `error`, outermost first, including those that an `io::Error` wraps.
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

pub(crate) fn io_kind(links: &Links<'_>) -> Option<ErrorKind> {
    let mut kinds = links.iter().filter_map(|link| link.downcast_ref::<io::Error>());
    kinds.next_back().map(io::Error::kind)
}

/// What went wrong on the network, where that has plain words.
pub(crate) fn plain(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::HostUnreachable => "there is no route to the host",
        ErrorKind::NetworkUnreachable => "there is no route to its network",
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the connection was reset",
        ErrorKind::TimedOut => "the connection timed out",
        ErrorKind::UnexpectedEof => "the server closed the connection",
        _ => return None,
    })
}

/// The reason of a failure, in plain words.
pub(crate) fn reason(error: &reqwest::Error, links: &Links<'_>) -> String {
    if error.is_timeout() {
        return no_answer();
    }
    let texts: Vec<String> = links.iter().map(ToString::to_string).collect();
    if texts.iter().any(|text| text.starts_with("dns error")) {
        // A lookup that failed is of no kind; a thread that could not be started is.
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
        "what answers there does not speak HTTP; it may be a TLS port"
    } else if said("before message completed") || said("tunnel error: unexpected end of file") {
        NO_ANSWER
    } else {
        texts.last().map_or("unknown reason", String::as_str)
    };
    plain.to_owned()
}

/// The host without the brackets of an IPv6 literal.
pub(crate) fn bare(host: &str) -> String {
    let host = host.trim();
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).to_owned()
}

/// The host as URLs want it.
pub(crate) fn bracketed(host: &str) -> String {
    let host = bare(host);
    if host.contains(':') { format!("[{host}]") } else { host }
}
