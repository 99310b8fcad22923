//! The SOAP envelope: reads the call of a request, and writes the reply or fault.

use std::fmt::Write;

use crate::fault::Fault;
use crate::schema::{self, Version};
use crate::value::{Ref, Value};

use super::node::{self, Node, Place};
use super::write;

const HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<soapenv:Envelope xmlns:soapenc=\"http://schemas.xmlsoap.org/soap/encoding/\"",
    " xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"",
    " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<soapenv:Body>\n",
);
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const TAIL: &str = "\n</soapenv:Body>\n</soapenv:Envelope>";

/// A method call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method's name as in the WSDL.
    pub method: String,
    /// The object that it is called on.
    pub this: Ref,
    /// The element with the arguments: `_this`, then those of the method.
    pub args: Node,
    body: Place,
    envelope: Place,
}

/// The result of a method.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Nothing
    Void,
    /// A value of the declared type; a list becomes repeated elements
    Value(Value),
    /// A value with its type (`anyType`)
    Any(Value),
}

impl Call {
    /// Reads a request's body. Fails with the fault of a real server if the body cannot be read.
    pub fn parse(body: impl AsRef<[u8]>) -> Result<Self, Fault> {
        let fault = |why: &str| Fault::invalid_request(why);
        let start = Place::START;
        let early =
            |fault: Fault| fault.while_parsing(&format!("HTTP request before method was determined\nat {start}"));
        let text = str::from_utf8(body.as_ref()).map_err(|_| node::INVALID);
        let document = text.and_then(Node::parse).map_err(|error| early(fault(&format!("\n{error}"))))?;
        if document.name != "Envelope" || document.namespace != SOAP {
            let name = &document.name;
            return Err(early(fault(&format!("Got <{name}> tag when expecting <Envelope> tag"))));
        }
        let in_envelope = |f: Fault| early(f.while_parsing(&format!("SOAP envelope\nat {}", document.place)));
        let parts: Vec<&str> = document.children.iter().map(|part| part.name.as_str()).collect();
        let body = match parts.as_slice() {
            ["Body"] | ["Header", "Body"] => &document.children[parts.len() - 1],
            _ => return Err(in_envelope(fault("The envelope holds no SOAP body, or more than one"))),
        };
        let in_body = |f: Fault| in_envelope(f.while_parsing(&format!("SOAP body\nat {}", body.place)));
        let [args] = body.children.as_slice() else {
            return Err(in_body(fault("The SOAP body holds no method, or more than one")));
        };
        if args.namespace != "urn:vim25" {
            let namespace = &args.namespace;
            return Err(in_body(fault(&format!("Unsupported namespace \"{namespace}\" in content of SOAP body"))));
        }
        let method = args.name.clone();
        if method != "Fetch" && schema::method(&method).is_none() {
            let why = format!("Unable to resolve WSDL method name {method} for namespace name urn:vim25");
            return Err(in_body(fault(&why)));
        }
        let this = args.children.first().filter(|this| this.name == "_this" && !this.text.trim().is_empty());
        let Some(this) = this.map(reference) else {
            let found = args.children.first().map_or("", |child| child.name.as_str());
            let fault = fault(&format!("Got <{found}> tag when expecting <_this> tag"));
            return Err(in_body(
                fault.while_parsing(&format!("call information for method {method}\nat {}", args.place)),
            ));
        };
        Ok(Self { method, this, args: args.clone(), body: body.place, envelope: document.place })
    }

    /// Adds the place in this call's arguments to a fault.
    pub fn place(&self, fault: Fault) -> Fault {
        fault
            .while_parsing(&format!("call information for method {}\nat {}", self.method, self.args.place))
            .while_parsing(&format!("SOAP body\nat {}", self.body))
            .while_parsing(&format!("SOAP envelope\nat {}", self.envelope))
            .while_parsing(&format!(
                "HTTP request for method {}\non object of type {}\nat {}",
                self.method,
                self.this.kind,
                Place::START
            ))
    }
}

/// The reference in an element.
pub fn reference(node: &Node) -> Ref {
    Ref { kind: node.kind.clone().unwrap_or_default(), moid: node.text.trim().to_owned() }
}

/// The envelope of a reply.
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

/// The envelope of a fault, which needs HTTP status 500.
pub fn fault(fault: &Fault, version: Version) -> String {
    let mut out = String::from(HEAD);
    let _ = write!(
        out,
        "<soapenv:Fault><faultcode>{}</faultcode><faultstring>{}</faultstring><detail><{kind}Fault xmlns=\"urn:vim25\" xsi:type=\"{kind}\">",
        fault.code,
        quick_xml::escape::escape(fault.message.as_str()),
        kind = fault.data.kind
    );
    write::fields(&mut out, &fault.data, version);
    let _ = write!(out, "</{}Fault></detail></soapenv:Fault>", fault.data.kind);
    out.push_str(TAIL);
    out
}
