//! Parses a request into a tree of XML elements with namespaces.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::escape::EscapeError;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesStart, Event};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// An XML element of a request.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// The name without its prefix.
    pub name: String,
    /// The namespace of the name.
    pub namespace: String,
    /// `xsi:type` without its prefix: `xsd:int` for a type of XML Schema, a plain name for one of `urn:vim25`, and
    /// `{namespace}name` for any other.
    pub xsi_type: Option<String>,
    /// The plain attribute `type`, which names a reference's managed object type.
    pub kind: Option<String>,
    /// Elements inside, in order.
    pub children: Vec<Node>,
    /// Text inside, entities resolved.
    pub text: String,
    /// Where the element starts.
    pub place: Place,
}

/// A position in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// The start of a document.
    pub const START: Self = Self { line: 1, column: 0 };

    /// The position after this text.
    fn after(self, text: &str) -> Self {
        match text.rfind('\n') {
            Some(last) => Self { line: self.line + text.matches('\n').count(), column: text.len() - last - 1 },
            None => Self { line: self.line, column: self.column + text.len() },
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The error of a request that is not valid XML, in the words of the parser that real servers use (expat).
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("Error returned by expat parser: {0}")]
pub struct Malformed(&'static str);

/// The text that expat has for most errors.
pub const INVALID: Malformed = Malformed("not well-formed (invalid token)");

impl Node {
    /// Reads a whole document.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if !text.chars().all(is_legal) {
            return Err(INVALID);
        }
        let mut reader = Reader::from_str(text);
        let mut scopes: Vec<HashMap<String, String>> = vec![HashMap::new()];
        let mut open: Vec<Self> = vec![Self::default()];
        let (mut place, mut read) = (Place::START, 0);
        loop {
            let event = reader.read_event().map_err(|error| match error {
                Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => Malformed("mismatched tag"),
                _ => INVALID,
            })?;
            let start = place;
            let end = usize::try_from(reader.buffer_position()).map_or(text.len(), |end| end.min(text.len()));
            place = place.after(text.get(read..end).unwrap_or_default());
            read = end;
            match event {
                Event::Start(tag) => open.push(element(&tag, &mut scopes, start)?),
                Event::Empty(tag) => {
                    let node = element(&tag, &mut scopes, start)?;
                    scopes.pop();
                    close(&mut open, node)?;
                }
                Event::End(_) => {
                    scopes.pop();
                    let node = open.pop().ok_or(INVALID)?;
                    close(&mut open, node)?;
                }
                Event::Text(text) => add_text(&mut open, &text.xml10_content())?,
                Event::CData(text) => add_text(&mut open, &text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let name = reference.xml10_content();
                    add_text(&mut open, &resolved(&format!("&{name};"))?)?;
                }
                Event::DocType(_) => return Err(INVALID),
                Event::Eof => break,
                _ => {}
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(mut root), true) if root.children.len() == 1 => Ok(root.children.remove(0)),
            _ => Err(Malformed("no element found")),
        }
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text of the first child of this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// True if the first child of this name is true.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some("true" | "1"))
    }
}

/// True for a character that XML 1.0 allows.
fn is_legal(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// The text with its references resolved.
fn resolved(text: &str) -> Result<Cow<'_, str>, Malformed> {
    let number = Malformed("reference to invalid character number");
    match quick_xml::escape::unescape(text) {
        Ok(text) if text.chars().all(is_legal) => Ok(text),
        Ok(_) | Err(EscapeError::InvalidCharRef(_)) => Err(number),
        Err(EscapeError::UnrecognizedEntity(..)) => Err(Malformed("undefined entity")),
        Err(_) => Err(INVALID),
    }
}

/// Adds text to the innermost element. Outside the outermost element, only space is allowed.
fn add_text(open: &mut [Node], text: &str) -> Result<(), Malformed> {
    if open.len() == 1 && !text.trim().is_empty() {
        return Err(if open[0].children.is_empty() { INVALID } else { JUNK });
    }
    open.last_mut().ok_or(INVALID)?.text.push_str(text);
    Ok(())
}

const JUNK: Malformed = Malformed("junk after document element");

fn close(open: &mut [Node], node: Node) -> Result<(), Malformed> {
    if open.len() == 1 && !open[0].children.is_empty() {
        return Err(JUNK);
    }
    open.last_mut().ok_or(INVALID)?.children.push(node);
    Ok(())
}

fn element(start: &BytesStart<'_>, scopes: &mut Vec<HashMap<String, String>>, place: Place) -> Result<Node, Malformed> {
    let mut scope = scopes.last().cloned().unwrap_or_default();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| match error {
            AttrError::Duplicated(..) => Malformed("duplicate attribute"),
            _ => INVALID,
        })?;
        let key: &str = attribute.key.as_ref();
        let value = resolved(&attribute.value)?.into_owned();
        if key == "xmlns" {
            scope.insert(String::new(), value);
        } else if let Some(prefix) = key.strip_prefix("xmlns:") {
            scope.insert(prefix.to_owned(), value);
        } else {
            attributes.push((key.to_owned(), value));
        }
    }
    let full: &str = start.name().into_inner();
    let (prefix, name) = split(full);
    let mut node = Node { name: name.to_owned(), namespace: resolve(&scope, prefix)?, place, ..Node::default() };
    for (key, value) in attributes {
        let (prefix, name) = split(&key);
        let namespace = if prefix.is_empty() { String::new() } else { resolve(&scope, prefix)? };
        if name != "type" {
            continue;
        }
        if prefix.is_empty() {
            node.kind = Some(split(&value).1.to_owned());
        } else if namespace == XSI {
            let (prefix, name) = split(&value);
            // govc writes `xsd:string` without declaring the prefix, and servers accept that. Any other undeclared prefix
            // is an error of the client.
            let declared = scope.contains_key(prefix) || prefix != "xsd";
            let namespace = if declared { resolve(&scope, prefix)? } else { XSD.to_owned() };
            node.xsi_type = Some(match namespace.as_str() {
                XSD => format!("xsd:{name}"),
                "urn:vim25" => name.to_owned(),
                other => format!("{{{other}}}{name}"),
            });
        }
    }
    scopes.push(scope);
    Ok(node)
}

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

fn resolve(scope: &HashMap<String, String>, prefix: &str) -> Result<String, Malformed> {
    match scope.get(prefix) {
        Some(namespace) => Ok(namespace.clone()),
        None if prefix.is_empty() => Ok(String::new()),
        None if prefix == "xml" => Ok("http://www.w3.org/XML/1998/namespace".into()),
        None => Err(Malformed("unbound prefix")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_resolved_and_not_guessed() {
        let node = Node::parse(
            r#"<a xmlns="urn:vim25" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:d="http://www.w3.org/2001/XMLSchema"><value i:type="d:long"> 1 &amp; 2</value><o type="Task">task-1</o></a>"#,
        )
        .unwrap();
        let value = node.child("value").unwrap();
        assert_eq!(value.xsi_type.as_deref(), Some("xsd:long"));
        assert_eq!(value.text, " 1 & 2");
        assert_eq!(value.namespace, "urn:vim25");
        assert_eq!(node.child("o").unwrap().kind.as_deref(), Some("Task"));
    }

    #[test]
    fn what_is_not_a_document_is_refused() {
        let cases = [
            ("", "no element found"),
            ("<a>", "no element found"),
            ("<a></b>", "mismatched tag"),
            ("<a/><b/>", "junk after document element"),
            ("<a/>text", "junk after document element"),
            ("text<a/>", "not well-formed (invalid token)"),
            ("<!DOCTYPE a><a/>", "not well-formed (invalid token)"),
            ("<x:a/>", "unbound prefix"),
            ("<a x:b=''/>", "unbound prefix"),
            (r#"<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="q:int"/>"#, "unbound prefix"),
            ("<a b='' b=''/>", "duplicate attribute"),
            ("<a>&nbsp;</a>", "undefined entity"),
            ("<a>&#1;</a>", "reference to invalid character number"),
            ("<a>&#xFFFF;</a>", "reference to invalid character number"),
            ("<a b='&#8;'/>", "reference to invalid character number"),
            ("<a>\u{1}</a>", "not well-formed (invalid token)"),
            ("<a>\u{fffe}</a>", "not well-formed (invalid token)"),
        ];
        for (text, expected) in cases {
            assert_eq!(Node::parse(text).unwrap_err(), Malformed(expected), "{text}");
        }
    }

    #[test]
    fn elements_know_their_places() {
        let node = Node::parse("<a>\n <b/>\n\n<c>x</c><d/></a>").unwrap();
        let places: Vec<String> = node.children.iter().map(|child| child.place.to_string()).collect();
        assert_eq!(places, ["line 2, column 1", "line 4, column 0", "line 4, column 8"]);
    }
}
