//! Requests, written element by element, because the API requires the order of its schema.

use std::fmt::Write;

use crate::soap::element::Element;
use crate::soap::escape::escape;
use crate::soap::moref::Moref;

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
    /// Starts a call of `method` on the managed object `this`.
    pub(crate) fn new(method: &'static str, this: &Moref) -> Self {
        let mut request = Self { method, xml: format!(r#"{HEAD}<{method} xmlns="urn:vim25">"#) };
        request.moref("_this", this);
        request
    }

    /// Writes a text.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.put(name, "", value);
    }

    /// Writes a boolean.
    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.put(name, "", if value { "true" } else { "false" });
    }

    /// Writes a managed object reference.
    pub(crate) fn moref(&mut self, name: &str, value: &Moref) {
        let kind = format!(r#" type="{}""#, escape(&value.kind));
        self.put(name, &kind, &value.id);
    }

    /// Writes a value with its XML Schema type (`long`, `string`), where the API takes any type.
    pub(crate) fn typed(&mut self, name: &str, kind: &str, value: &str) {
        let kind = format!(r#" xsi:type="xsd:{}""#, escape(kind));
        self.put(name, &kind, value);
    }

    /// Writes a structure, with its elements by `inner`.
    pub(crate) fn nest(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.wrap(name, "", inner);
    }

    /// Writes a structure with its API type, where the schema allows several.
    pub(crate) fn nest_typed(&mut self, name: &str, kind: &str, inner: impl FnOnce(&mut Self)) {
        self.wrap(name, &format!(r#" xsi:type="{kind}""#), inner);
    }

    /// Writes an element of a reply under another name, with its types, references and everything within.
    pub(crate) fn echo(&mut self, name: &str, value: &Element) {
        let mut attributes = String::new();
        if let Some(moref) = value.moref() {
            let _ = write!(attributes, r#" type="{}""#, escape(&moref.kind));
        }
        if let Some(kind) = value.kind() {
            // The API's own types begin with a capital letter, those of XML Schema with a small one.
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

    /// Returns the whole message.
    pub(crate) fn message(&self) -> String {
        format!("{}</{}>{TAIL}", self.xml, self.method)
    }

    /// Returns the call without the envelope.
    #[cfg(test)]
    pub(crate) fn call(&self) -> String {
        let message = self.message();
        message[HEAD.len()..message.len() - TAIL.len()].to_owned()
    }
}
