//! Answers of the server: SOAP where the vSphere API answers, and HTTP where something else does.

use crate::session::error::Error;
use crate::soap::element::Element;
use crate::soap::error::SoapError;
use crate::soap::reply::{self, Reply};
use crate::text::one_line;
use crate::wire::error::WireError;
use crate::wire::transport::Response;

/// Returns the response element (`…Response`) of an answer to a call of `method`.
///
/// A reply that the vSphere API did not write is described by its HTTP status if that is an error, else by its content.
pub(crate) fn read(method: &str, answer: &Response) -> Result<Element, Error> {
    let Response { status, body, .. } = answer;
    match reply::read(method, body) {
        Ok(Reply::Fault(fault)) => Err(Error::Fault(fault)),
        Err(error @ (SoapError::TooLarge { .. } | SoapError::Empty)) => Err(error.into()),
        _ if *status != 200 => Err(WireError::Http { status: *status, detail: meaning(*status, body) }.into()),
        Ok(Reply::Response(response)) => Ok(response),
        Err(SoapError::Malformed(_)) if is_web_page(body) => {
            Err(Error::Protocol("the server answered with a web page, not as a vSphere API".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_web_page(body: &str) -> bool {
    let start = body.trim_start().get(..14).unwrap_or_default().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Says what an HTTP status means where a vSphere API was expected.
fn meaning(status: u16, body: &str) -> String {
    let known = match status {
        401 | 403 => "access to the API was refused",
        404 => "there is no vSphere API at this address",
        407 => "the proxy requires authentication",
        503 => {
            "the vSphere service is not available: it may be starting or stopping, or it has no sessions left (the \
             vSphere Client lists them, and `nested_vft sessions` those that are kept)"
        }
        502 | 504 => "the vSphere service is not available, it may be starting or stopping",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    // Plain text such as "Client sent an HTTP request to an HTTPS server." says it best; pages of markup do not.
    let line = body.lines().find(|line| !line.trim().is_empty());
    match line.map(str::trim) {
        Some(line) if !line.starts_with('<') => one_line(line, 200),
        _ => "not an answer of the vSphere API".to_owned(),
    }
}
