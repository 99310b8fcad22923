//! Reads the headers of an answer.

use reqwest::Url;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderValue, SET_COOKIE, TRANSFER_ENCODING};

use crate::text::brief;
use crate::wire::error::WireError;

/// The path under which servers have the files of datastores.
pub(crate) const FILES: &str = "/folder/";
/// Longest origin of another server, in bytes; host names are shorter.
const ORIGIN: usize = 300;
const SESSION_COOKIE: &str = "vmware_soap_session";

/// Returns the error of a redirect from the server at `base` (`https://vc.example:443`).
///
/// vCenter Server may leave files to the hosts that have them, and web servers redirect plain HTTP to HTTPS. No redirect is
/// followed, because no other server may get the session's cookie. Only the origin is shown, because path, query and user
/// may hold a ticket.
pub(crate) fn redirected(what: &str, status: u16, base: &str, location: Option<&HeaderValue>) -> WireError {
    let http = |detail: &str| WireError::Http { status, detail: detail.to_owned() };
    let Ok(own) = Url::parse(base) else { return http("it redirects, which is not followed") };
    let other = location.and_then(|value| value.to_str().ok()).and_then(|location| own.join(location).ok());
    let Some(other) = other.filter(|other| other.origin().is_tuple()) else {
        return http("it redirects to an address that is not HTTP, which is not followed");
    };
    let origin = brief(&other.origin().ascii_serialization(), ORIGIN);
    if other.origin() == own.origin() {
        return http("it redirects to another path on the same server, which is not followed");
    }
    // Several hosts may share one name, each with its own port: a file at another port belongs to another server.
    let file = what.starts_with(FILES);
    if other.host() == own.host() && (other.scheme() != own.scheme() || !file) {
        let port = other.port_or_known_default().unwrap_or_default();
        return WireError::OtherPort { origin, secure: other.scheme() == "https", port };
    }
    if file {
        return WireError::Elsewhere { what: what.to_owned(), origin };
    }
    http(&format!("it redirects to {origin}, which is not followed"))
}

/// Returns the session cookie, verbatim: real servers put its value in quotes and want them back.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<String> {
    headers.get_all(SET_COOKIE).iter().find_map(|header| {
        let pair = header.to_str().ok()?.split(';').next()?.trim();
        let (name, value) = pair.split_once('=')?;
        let ours = name.trim().eq_ignore_ascii_case(SESSION_COOKIE) && !value.trim().is_empty();
        ours.then(|| pair.to_owned())
    })
}

/// Returns the 500 of `Content-Range: bytes 500-999/1000`.
pub(crate) fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}

/// True if the answer tells its length. Others end with the connection.
pub(crate) fn tells_its_length(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_shows_its_origin_and_nothing_that_may_hold_a_ticket() {
        let (https, http) = ("https://vc.lab.example:443", "http://vc.lab.example:80");
        // The server; the redirect's location; a part of the message; the kind of error.
        for (base, location, says, kind) in [
            (https, "https://VC.lab.example/x?ticket=S3CRET", "another path on the same server", "http"),
            (https, "https://root:S3CRET@vc.lab.example/x", "another path on the same server", "http"),
            (https, "/x?ticket=S3CRET", "another path on the same server", "http"),
            (https, "nonsense:S3CRET", "address that is not HTTP", "http"),
            (https, "https://esxi01/x?ticket=S3CRET", "redirects to https://esxi01, ", "elsewhere"),
            (http, "//root:S3CRET@esxi01/S3CRET", "redirects to http://esxi01, ", "elsewhere"),
            (http, "https://vc.lab.example/x?ticket=S3CRET", "redirects to https://vc.lab.example, ", "port true 443"),
            (https, "http://vc.lab.example/S3CRET", "redirects to http://vc.lab.example, ", "port false 80"),
            (https, "https://vc.lab.example:8443/", "redirects to https://vc.lab.example:8443, ", "elsewhere"),
            (
                "http://[fd00::1]:80",
                "https://[FD00:0::1]:9443/",
                "redirects to https://[fd00::1]:9443, ",
                "port true 9443",
            ),
        ] {
            let location = HeaderValue::from_static(location);
            let error = redirected("/folder/inner/vmware.log", 307, base, Some(&location));
            let told = error.to_string();
            assert!(told.contains(says) && !told.contains("S3CRET"), "{told}");
            let found = match error {
                WireError::Http { status: 307, .. } => "http".to_owned(),
                WireError::Elsewhere { .. } => "elsewhere".to_owned(),
                WireError::OtherPort { secure, port, .. } => format!("port {secure} {port}"),
                other => panic!("{other}"),
            };
            assert_eq!(found, kind, "{location:?}");
        }
        // Only files may belong to another server.
        let location = HeaderValue::from_static("https://vc.lab.example:8443/");
        let error = redirected("Login", 302, https, Some(&location));
        assert!(matches!(&error, WireError::OtherPort { secure: true, port: 8443, .. }), "{error}");
        let location = HeaderValue::from_static("https://esxi01/sdk");
        let error = redirected("Login", 302, https, Some(&location));
        assert!(matches!(&error, WireError::Http { .. }) && error.to_string().contains("https://esxi01, "), "{error}");
        assert!(redirected("Login", 302, https, None).to_string().contains("address that is not HTTP"));
    }
}
