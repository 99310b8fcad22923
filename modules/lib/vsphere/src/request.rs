//! Requests, written element by element: the order of elements is part of the API's contract.

use std::fmt::Write;

use crate::moref::Moref;
use crate::xml::{Element, escape};

const HEAD: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>"#,
    r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/""#,
    r#" xmlns:xsd="http://www.w3.org/2001/XMLSchema""#,
    r#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>"#,
);
const TAIL: &str = "</soapenv:Body></soapenv:Envelope>";

/// A method call under construction.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    xml: String,
}

impl Request {
    /// A call of `method` on the managed object `this`.
    pub(crate) fn new(method: &'static str, this: &Moref) -> Self {
        let mut request = Self { method, xml: format!(r#"{HEAD}<{method} xmlns="urn:vim25">"#) };
        request.moref("_this", this);
        request
    }

    /// A value.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.put(name, "", value);
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.put(name, "", if value { "true" } else { "false" });
    }

    /// A managed object reference.
    pub(crate) fn moref(&mut self, name: &str, value: &Moref) {
        let kind = format!(r#" type="{}""#, escape(&value.kind));
        self.put(name, &kind, &value.id);
    }

    /// A value of an XML Schema type (`long`, `string`): for places where the API takes any type.
    pub(crate) fn typed(&mut self, name: &str, kind: &str, value: &str) {
        let kind = format!(r#" xsi:type="xsd:{}""#, escape(kind));
        self.put(name, &kind, value);
    }

    /// A structure, written by `inner`.
    pub(crate) fn nest(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.wrap(name, "", inner);
    }

    /// A structure of an API type that the place does not imply.
    pub(crate) fn nest_typed(&mut self, name: &str, kind: &str, inner: impl FnOnce(&mut Self)) {
        self.wrap(name, &format!(r#" xsi:type="{kind}""#), inner);
    }

    /// What the server said, said back to it under another name: its types and references, and everything within.
    pub(crate) fn echo(&mut self, name: &str, value: &Element) {
        let mut attributes = String::new();
        if let Some(moref) = value.moref() {
            let _ = write!(attributes, r#" type="{}""#, escape(&moref.kind));
        }
        if let Some(kind) = value.kind() {
            // The API's own types begin with a capital, those of XML Schema with a small letter.
            let prefix = if kind.starts_with(|first: char| first.is_ascii_lowercase()) { "xsd:" } else { "" };
            let _ = write!(attributes, r#" xsi:type="{prefix}{}""#, escape(kind));
        }
        if value.all().is_empty() {
            self.put(name, &attributes, value.text());
        } else {
            self.wrap(name, &attributes, |within| {
                for child in value.all() {
                    within.echo(child.name(), child);
                }
            });
        }
    }

    fn wrap(&mut self, name: &str, attributes: &str, inner: impl FnOnce(&mut Self)) {
        // Writing to a String cannot fail.
        let _ = write!(self.xml, "<{name}{attributes}>");
        inner(self);
        let _ = write!(self.xml, "</{name}>");
    }

    fn put(&mut self, name: &str, attributes: &str, value: &str) {
        let value = escape(value);
        let _ = write!(self.xml, "<{name}{attributes}>{value}</{name}>");
    }

    /// The whole message.
    pub(crate) fn message(&self) -> String {
        format!("{}</{}>{TAIL}", self.xml, self.method)
    }

    /// The call alone, without the envelope.
    #[cfg(test)]
    pub(crate) fn call(&self) -> String {
        let message = self.message();
        message[HEAD.len()..message.len() - TAIL.len()].to_owned()
    }
}
