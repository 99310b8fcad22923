//! SOAP envelopes of answers: the returned element, or the fault.

use crate::bounds::one_line;
use crate::error::Error;
use crate::fault::Fault;
use crate::xml::Element;

/// The response element (`…Response`) of an answer to a call of `method`.
pub(crate) fn response(method: &str, status: u16, body: &str) -> Result<Element, Error> {
    let envelope = match Element::parse(body) {
        Err(Error::Protocol(reason)) => return Err(foreign(status, body, Error::Protocol(reason))),
        envelope => envelope?,
    };
    if envelope.name() != "Envelope" {
        return Err(foreign(status, body, other_xml(&envelope)));
    }
    let content = envelope.into_child("Body").and_then(|body| body.into_all().next());
    let Some(content) = content else {
        return Err(Error::Protocol("the server's answer is empty: its SOAP body holds nothing".to_owned()));
    };
    if content.name() == "Fault" {
        return Err(Error::Fault(Fault::soap(&content)));
    }
    if status != 200 {
        return Err(foreign(status, body, other_xml(&content)));
    }
    if content.name().strip_suffix("Response") != Some(method) {
        let name = content.name();
        return Err(Error::Protocol(format!(
            "the call of {method} was answered with `{name}`, which belongs to another method"
        )));
    }
    Ok(content)
}

fn other_xml(element: &Element) -> Error {
    Error::Protocol(format!("the server's answer is not one of the vSphere API: it is a `{}` document", element.name()))
}

/// An answer that the vSphere API did not write: told by its HTTP status if that is an error, else by `error`.
fn foreign(status: u16, body: &str, error: Error) -> Error {
    if status != 200 {
        return Error::Http { status, detail: meaning(status, body) };
    }
    let start = body.trim_start().get(..14).unwrap_or_default();
    let start = start.to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Error::Protocol(
            "the server answered with a web page, not as the vSphere API does; check host name and port".to_owned(),
        );
    }
    error
}

/// What an HTTP status means when a vSphere API was expected.
fn meaning(status: u16, body: &str) -> String {
    let known = match status {
        401 | 403 => "access to the API was refused",
        404 => "there is no vSphere API at this address; check host name and port",
        407 => "the proxy wants authentication",
        502..=504 => "the vSphere service is not available, it may be starting or stopping",
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
