//! The envelope: which method a request calls, and the shape of what goes back.

use std::fmt::Write;

use crate::fault::Fault;
use crate::methods::Reply;
use crate::schema::Version;
use crate::value::Ref;

use super::node::Node;
use super::write;

const HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<soapenv:Envelope xmlns:soapenc=\"http://schemas.xmlsoap.org/soap/encoding/\"",
    " xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"",
    " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<soapenv:Body>\n",
);
const TAIL: &str = "\n</soapenv:Body>\n</soapenv:Envelope>";

/// A method call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method's name as in the WSDL.
    pub method: String,
    /// The object it is called on.
    pub this: Ref,
    /// The element that holds the arguments.
    pub args: Node,
}

impl Call {
    /// Reads a request's body. The fault is what a server answers to a body that it cannot read.
    pub fn parse(body: &str) -> Result<Self, Fault> {
        let document = Node::parse(body).map_err(|error| Fault::invalid_request(&error.to_string()))?;
        let soap = "http://schemas.xmlsoap.org/soap/envelope/";
        if document.name != "Envelope" || document.namespace != soap {
            return Err(Fault::invalid_request("not a SOAP envelope"));
        }
        let args = document
            .child("Body")
            .and_then(|body| body.children.first())
            .ok_or_else(|| Fault::invalid_request("the body is empty"))?
            .clone();
        if args.namespace != "urn:vim25" {
            return Err(Fault::invalid_request(&format!(
                "the method's namespace is {} and not urn:vim25",
                args.namespace
            )));
        }
        let this = args.child("_this").ok_or_else(|| Fault::invalid_request("the call names no object (_this)"))?;
        Ok(Self { method: args.name.clone(), this: reference(this), args })
    }
}

/// The reference in an element.
pub fn reference(node: &Node) -> Ref {
    Ref { kind: node.kind.clone().unwrap_or_default(), moid: node.text.trim().to_owned() }
}

/// The envelope of an answer.
pub fn response(method: &str, reply: &Reply, version: Version) -> String {
    let mut out = String::from(HEAD);
    let _ = write!(out, "<{method}Response xmlns=\"urn:vim25\">");
    match reply {
        Reply::Void => {}
        Reply::Value(value) => write::element(&mut out, "returnval", value, false, version),
        Reply::Any(value) => write::element(&mut out, "returnval", value, true, version),
    }
    let _ = write!(out, "</{method}Response>");
    out.push_str(TAIL);
    out
}

/// The envelope of a fault; it travels with HTTP status 500.
pub fn fault(fault: &Fault, version: Version) -> String {
    let mut out = String::from(HEAD);
    let _ = write!(
        out,
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{}</faultstring><detail><{kind}Fault xmlns=\"urn:vim25\" xsi:type=\"{kind}\">",
        quick_xml::escape::escape(fault.message.as_str()),
        kind = fault.data.kind
    );
    write::fields(&mut out, &fault.data, version);
    let _ = write!(out, "</{}Fault></detail></soapenv:Fault>", fault.data.kind);
    out.push_str(TAIL);
    out
}
