//! HTTP answers and the session cookie.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use hyper::{Response, StatusCode};

/// Closes the connection without a reply.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
pub struct Drop;

/// An HTTP answer.
pub type Answer = Response<Full<Bytes>>;

/// An answer with this status, content type and body.
pub fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// The session cookie of a request, without quotes.
pub fn session_cookie(headers: &HeaderMap) -> Option<String> {
    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';')).find_map(
        |pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == "vmware_soap_session").then(|| value.trim().trim_matches('"').to_owned())
        },
    )
}

/// Sets the session cookie, quoted as a real server quotes it.
pub fn set_session_cookie(answer: &mut Answer, cookie: &str, secure: bool) {
    let secure = if secure { " Secure;" } else { "" };
    let value = format!("vmware_soap_session=\"{cookie}\"; Path=/; HttpOnly;{secure}");
    if let Ok(value) = value.parse() {
        answer.headers_mut().insert(SET_COOKIE, value);
    }
}
