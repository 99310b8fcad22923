//! SOAP envelopes of replies: the response element, or the fault.

use crate::soap::element::Element;
use crate::soap::error::SoapError;
use crate::soap::fault::Fault;

/// The reply to the call of a method.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The response element (`…Response`).
    Response(Element),
    /// The method failed.
    Fault(Fault),
}

/// Reads the reply to a call of `method`.
pub(crate) fn read(method: &str, body: &str) -> Result<Reply, SoapError> {
    let envelope = Element::parse(body)?;
    if envelope.name() != "Envelope" {
        let name = envelope.name();
        return Err(SoapError::Malformed(format!("it is a `{name}` document")));
    }
    let content = envelope.into_child("Body").and_then(|body| body.into_all().next()).ok_or(SoapError::Empty)?;
    if content.name() == "Fault" {
        return Ok(Reply::Fault(Fault::soap(&content)));
    }
    if content.name().strip_suffix("Response") != Some(method) {
        return Err(SoapError::OtherMethod { method: method.to_owned(), name: content.name().to_owned() });
    }
    Ok(Reply::Response(content))
}

/// Returns the value that a method returned.
pub(crate) fn returned(response: &Element) -> Result<&Element, SoapError> {
    response.child("returnval").ok_or_else(|| SoapError::NoValue(response.name().to_owned()))
}
