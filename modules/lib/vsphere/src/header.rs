//! What the headers of an answer say.

use reqwest::Response;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, LOCATION, SET_COOKIE, TRANSFER_ENCODING};

use crate::error::Error;

/// Where files of datastores are.
pub(crate) const FILES: &str = "/folder/";
const SESSION_COOKIE: &str = "vmware_soap_session";

/// What a redirect means: vCenter Server may leave files to the hosts that have them. No redirect is followed: the session is
/// this server's, and its cookie is for nobody else.
pub(crate) fn redirected(what: &str, status: u16, response: &Response) -> Error {
    let location = response.headers().get(LOCATION);
    let location = location.and_then(|value| value.to_str().ok());
    let other = location.and_then(|location| response.url().join(location).ok()).map(|url| url.origin());
    if let Some(other) = other.filter(|other| other.is_tuple() && *other != response.url().origin())
        && what.starts_with(FILES)
    {
        return Error::Elsewhere { what: what.to_owned(), place: other.ascii_serialization() };
    }
    Error::Http {
        status,
        detail: match location {
            Some(location) => format!("it redirects to {location}, which is not followed"),
            None => "it redirects, which is not followed".to_owned(),
        },
    }
}

/// The session cookie, verbatim: real servers put its value in quotes and want them back.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<String> {
    headers.get_all(SET_COOKIE).iter().find_map(|header| {
        let pair = header.to_str().ok()?.split(';').next()?.trim();
        let (name, value) = pair.split_once('=')?;
        let ours = name.trim().eq_ignore_ascii_case(SESSION_COOKIE) && !value.trim().is_empty();
        ours.then(|| pair.to_owned())
    })
}

/// The 500 of `Content-Range: bytes 500-999/1000`.
pub(crate) fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}

/// Whether the answer says where it ends. Others end with the connection.
pub(crate) fn tells_its_length(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
}
