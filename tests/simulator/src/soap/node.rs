//! A small tree of XML elements, read with namespaces, which the methods take their arguments from.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// An XML element of a request.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// The name without its prefix.
    pub name: String,
    /// The namespace the name belongs to.
    pub namespace: String,
    /// `xsi:type` without its prefix; primitives of XML Schema keep an `xsd:` in front.
    pub xsi_type: Option<String>,
    /// The plain attribute `type`, which names a reference's managed object type.
    pub kind: Option<String>,
    /// Elements inside, in order.
    pub children: Vec<Node>,
    /// Text inside, entities resolved.
    pub text: String,
}

/// Why a request is not XML that can be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Node {
    /// Reads a whole document.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut reader = Reader::from_str(text);
        let mut scopes: Vec<HashMap<String, String>> = vec![HashMap::new()];
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            let event = reader.read_event().map_err(|error| Malformed(error.to_string()))?;
            match event {
                Event::Start(start) => open.push(element(&start, &mut scopes)?),
                Event::Empty(start) => {
                    let node = element(&start, &mut scopes)?;
                    scopes.pop();
                    close(&mut open, node)?;
                }
                Event::End(_) => {
                    scopes.pop();
                    let node = open.pop().ok_or_else(unbalanced)?;
                    close(&mut open, node)?;
                }
                Event::Text(text) => add_text(&mut open, &text.xml10_content()),
                Event::CData(text) => add_text(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let name = reference.xml10_content();
                    let resolved = quick_xml::escape::unescape(&format!("&{name};"))
                        .map_err(|error| Malformed(error.to_string()))?
                        .into_owned();
                    add_text(&mut open, &resolved);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(mut root), true) if root.children.len() == 1 => Ok(root.children.remove(0)),
            _ => Err(unbalanced()),
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

    /// The text of the first child of this name, spaces around it removed.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// Whether the first child of this name says true.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some("true" | "1"))
    }
}

fn unbalanced() -> Malformed {
    Malformed("not one XML document".into())
}

fn add_text(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

fn close(open: &mut [Node], node: Node) -> Result<(), Malformed> {
    open.last_mut().ok_or_else(unbalanced)?.children.push(node);
    Ok(())
}

fn element(start: &BytesStart<'_>, scopes: &mut Vec<HashMap<String, String>>) -> Result<Node, Malformed> {
    let mut scope = scopes.last().cloned().unwrap_or_default();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| Malformed(error.to_string()))?;
        let key: &str = attribute.key.as_ref();
        let value =
            quick_xml::escape::unescape(&attribute.value).map_err(|error| Malformed(error.to_string()))?.into_owned();
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
    let mut node = Node { name: name.to_owned(), namespace: resolve(&scope, prefix)?, ..Node::default() };
    for (key, value) in attributes {
        let (prefix, name) = split(&key);
        if name != "type" {
            continue;
        }
        if prefix.is_empty() {
            node.kind = Some(split(&value).1.to_owned());
        } else if resolve(&scope, prefix)? == XSI {
            let (prefix, name) = split(&value);
            // govc writes `xsd:string` without declaring the prefix, and servers take that. Any other undeclared prefix is
            // a mistake that a client should hear of.
            let declared = scope.contains_key(prefix) || prefix != "xsd";
            node.xsi_type = Some(if !declared || resolve(&scope, prefix)? == XSD {
                format!("xsd:{name}")
            } else {
                name.to_owned()
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
        None => Err(Malformed(format!("undeclared prefix {prefix}"))),
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
        for text in [
            "",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<x:a/>",
            r#"<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="q:int"/>"#,
        ] {
            assert!(Node::parse(text).is_err(), "{text}");
        }
    }
}
