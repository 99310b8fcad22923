//! XML documents, read into a light tree by namespace: prefixes differ between servers, and a DTD is never obeyed.

use std::collections::HashMap;
use std::rc::Rc;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use quick_xml::reader::NsReader;

use crate::soap::element::{ALLOCATION, Element, Tag};
use crate::soap::error::SoapError;
use crate::soap::memory::Held;
use crate::text::one_line;

/// The namespace of `xsi:type`, whatever its prefix.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

// These limits are far above what the API sends. Only option values are long, such as user data in `guestinfo`.
const DEPTH: usize = 128;
const ATTRIBUTES: usize = 64;
/// Longest name of an element or type, in bytes.
const NAME: usize = 256;
/// Longest text of an element, in bytes.
const TEXT: usize = 1 << 20;

/// Number of children up to which a list has no spare capacity.
const FEW: usize = 8;
/// Number of tags of the same name that are searched; a hostile document may have millions.
const SEARCHED: usize = 64;

/// An element whose end was not read yet.
struct Open {
    tag: Rc<Tag>,
    text: String,
    children: Vec<Element>,
}

impl Open {
    fn adopt(&mut self, child: Element) {
        // Most elements have few children: spare capacity would take more memory than the children.
        if self.children.len() < FEW {
            self.children.reserve_exact(1);
        }
        self.children.push(child);
    }

    fn close(self) -> Element {
        // White space between elements is not text.
        let text = if self.children.is_empty() { self.text } else { String::new() };
        Element { tag: self.tag, text: text.into(), children: self.children.into() }
    }
}

impl Element {
    /// Reads an XML document.
    ///
    /// # Errors
    /// [`SoapError::Malformed`] if it is not well-formed, has a DTD, or nests too deeply; [`SoapError::TooLarge`] if all
    /// documents together take more memory than they may.
    pub fn parse(xml: &str) -> Result<Self, SoapError> {
        read(xml)
    }
}

fn read(xml: &str) -> Result<Element, SoapError> {
    let mut reader = NsReader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut tags = Tags::default();
    // The elements that are open, outermost first.
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().map_err(damaged)?;
        match event {
            Event::Start(start) => {
                if root.is_some() || open.len() >= DEPTH {
                    return Err(malformed("it is nested too deeply or has two roots"));
                }
                let tag = tags.of(&start, reader.resolver())?;
                open.push(Open { tag, text: String::new(), children: Vec::new() });
            }
            Event::End(_) => {
                let done = open.pop().ok_or_else(|| malformed("it closes an element that is not open"))?.close();
                tags.held.add(done.size())?;
                match open.last_mut() {
                    Some(parent) => parent.adopt(done),
                    None => root = Some(done),
                }
            }
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(text) => append(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                append(&mut open, character(&reference)?.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(malformed("it carries a document type definition")),
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if !open.is_empty() {
        return Err(malformed("it is incomplete"));
    }
    root.ok_or_else(|| malformed("it is empty"))
}

fn malformed(reason: &str) -> SoapError {
    SoapError::Malformed(reason.to_owned())
}

/// The error for a document that the parser refuses; its own words mean nothing to an administrator.
fn damaged<E>(_: E) -> SoapError {
    malformed("it is damaged or truncated")
}

/// The tags of the part of a document that was read, by name.
#[derive(Default)]
struct Tags {
    held: Rc<Held>,
    known: HashMap<Box<str>, Vec<Rc<Tag>>>,
}

impl Tags {
    /// Returns the tag with an element's name and its two attributes that matter: `xsi:type`, and the `type` of a managed
    /// object reference.
    fn of(&mut self, start: &BytesStart, namespaces: &NamespaceResolver) -> Result<Rc<Tag>, SoapError> {
        let name = start.local_name();
        let name = name.as_ref();
        let mut kind = None;
        let mut moref_kind = None;
        for (index, attribute) in start.attributes().enumerate() {
            let attribute = attribute.map_err(damaged)?;
            if index == ATTRIBUTES {
                return Err(malformed("an element has too many attributes"));
            }
            let (namespace, key) = namespaces.resolve_attribute(attribute.key);
            if key.as_ref() != "type" {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(damaged)?;
            match namespace {
                ResolveResult::Bound(it) if it.as_ref() == INSTANCE => kind = Some(value),
                ResolveResult::Unbound => moref_kind = Some(value),
                _ => {}
            }
        }
        let kind = kind.as_deref().map(|kind| kind.rsplit(':').next().unwrap_or_default());
        let moref_kind = moref_kind.as_deref();
        let alike = |tag: &&Rc<Tag>| tag.kind.as_deref() == kind && tag.moref_kind.as_deref() == moref_kind;
        if let Some(tag) = self.known.get(name).and_then(|tags| tags.iter().take(SEARCHED).find(alike)) {
            return Ok(tag.clone());
        }
        if !is_name(name) {
            return Err(damaged(()));
        }
        let texts = [name, kind.unwrap_or_default(), moref_kind.unwrap_or_default()];
        if texts.iter().any(|text| text.len() > NAME) {
            return Err(malformed("a name is too long"));
        }
        // The name is held twice: it is the key too.
        let texts: usize = [name].iter().chain(&texts).map(|text| text.len() + ALLOCATION).sum();
        self.held.add(texts + 2 * size_of::<Tag>())?;
        let tag = Rc::new(Tag {
            name: name.into(),
            kind: kind.map(Into::into),
            moref_kind: moref_kind.map(Into::into),
            held: self.held.clone(),
        });
        self.known.entry(name.into()).or_default().push(tag.clone());
        Ok(tag)
    }
}

/// True if the text is a legal name of an element, so that it can be written back. The parser accepts any text.
fn is_name(text: &str) -> bool {
    let legal = |char: char| char.is_alphanumeric() || "_-.".contains(char);
    text.chars().all(legal) && text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Adds text to the innermost open element. Outside of the root only white space is legal.
fn append(open: &mut [Open], text: &str) -> Result<(), SoapError> {
    match open.last_mut() {
        Some(element) if element.text.len() + text.len() > TEXT => Err(malformed("it has a text of more than 1 MiB")),
        Some(element) => {
            element.text.push_str(text);
            Ok(())
        }
        None if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() => Ok(()),
        None => Err(malformed("there is text outside the document")),
    }
}

/// Returns the character that `&amp;`, `&#10;` and so on stand for. Entities of a DTD are unknown here.
fn character(reference: &BytesRef) -> Result<char, SoapError> {
    if let Some(char) = reference.resolve_char_ref().map_err(damaged)? {
        return Ok(char);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        name => Err(SoapError::Malformed(format!("it uses the unknown entity `{}`", one_line(name, NAME)))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::soap::escape::{escape, is_xml_char};
    use crate::soap::memory::{LIMIT, held};
    use crate::soap::moref::Moref;

    #[test]
    fn types_are_read_by_namespace_whatever_the_prefix() {
        for attribute in [
            r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xsd:long""#,
            r#"xmlns:_X-i="http://www.w3.org/2001/XMLSchema-instance" _X-i:type="long""#,
        ] {
            let element = Element::parse(&format!("<value {attribute}> 7 </value>")).unwrap();
            assert_eq!(element.kind(), Some("long"), "{attribute}");
            assert_eq!(element.int(), Some(7));
            assert_eq!(element.moref(), None);
        }
        let vm = Element::parse(r#"<obj type="VirtualMachine">vm-63</obj>"#).unwrap();
        assert_eq!(vm.moref(), Some(Moref::new("VirtualMachine", "vm-63")));
        assert_eq!(vm.kind(), None);
        let foreign = Element::parse(r#"<a xmlns:o="urn:other" o:type="x">1</a>"#).unwrap();
        assert_eq!((foreign.kind(), foreign.moref()), (None, None));
    }

    #[test]
    fn values_read_as_the_schema_says() {
        let list = Element::parse(
            "<a><b>true</b><b>1</b><b>false</b><b>0</b><b>yes</b><b/><c><d>&lt;x&#33;&amp;<![CDATA[<&>]]></d></c></a>",
        )
        .unwrap();
        let flags: Vec<_> = list.children("b").map(Element::flag).collect();
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(flags, [yes, yes, no, no, None, None]);
        assert_eq!(list.at("c/d").map(Element::text), Some("<x!&<&>"));
        assert!(list.at("c/e").is_none());
        assert_eq!(list.all().len(), 7);
    }

    #[test]
    fn a_document_counts_until_its_last_element_is_dropped() {
        assert_eq!(held(), 0);
        let root = Element::parse("<a><b>text</b><b>text</b></a>").unwrap();
        let all = held();
        assert!(all > 3 * size_of::<Element>() + 8, "{all}");
        let child = root.into_child("b").unwrap();
        assert_eq!(held(), all);
        drop(child);
        assert_eq!(held(), 0);
    }

    #[test]
    fn a_document_that_takes_too_much_memory_is_refused_and_freed() {
        let tag = |name: usize| format!("<a{name}/>");
        let names: String = (0..500_000).map(tag).collect();
        for inner in [&"<a/>".repeat(3_000_000), &"<a>1</a>".repeat(2_000_000), &names] {
            let error = Element::parse(&format!("<all>{inner}</all>")).unwrap_err();
            assert!(matches!(error, SoapError::TooLarge { limit: LIMIT }), "{error}");
            assert_eq!(held(), 0);
        }
    }

    #[test]
    fn hostile_documents_are_refused_with_a_reason() {
        let deep = "<a>".repeat(1000);
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>"#;
        for (xml, says) in [
            (bomb, "document type definition"),
            (r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#, "document type definition"),
            ("<a>&b;</a>", "unknown entity `b`"),
            (&deep, "nested too deeply"),
            ("", "is empty"),
            ("   ", "is empty"),
            ("plain text", "text outside the document"),
            ("<a/><b/>", "two roots"),
            ("<a>", "is incomplete"),
            ("<a></b>", "damaged"),
            ("<a b='1' b='2'/>", "damaged"),
            ("<a>&#xD800;</a>", "damaged"),
            (r#"<a><b">&lt;</b"></a>"#, "damaged"),
            ("<a><b<c/></a>", "damaged"),
            ("<a><1/></a>", "damaged"),
            ("<a\u{2028}b/>", "damaged"),
            ("<x:a xmlns:y='urn:y' y:type='&z;'/>", "damaged"),
        ] {
            let error = Element::parse(xml).unwrap_err().to_string();
            assert!(error.contains(says), "{xml:.40}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in any::<String>()) {
            let _ = Element::parse(&text);
        }

        #[test]
        fn text_like_xml_is_read_or_refused(
            text in r#"(<[a-z:!?/]{0,3}( [a-z:]{1,3}="?[a-z&;]{0,3}"?)?/?>|&#?[a-z0-9]{0,3};?|[a-z \n])*"#
        ) {
            let _ = Element::parse(&text);
        }

        #[test]
        fn escaped_text_comes_back(text in any::<String>()) {
            let escaped = escape(&text);
            let text = text.replace(|char| !is_xml_char(char), "\u{fffd}");
            let element = Element::parse(&format!("<a type=\"{escaped}\">{escaped}</a>")).unwrap();
            prop_assert_eq!(element.text(), text.as_str());
            prop_assert_eq!(element.tag.moref_kind.as_deref(), Some(text.as_str()));
        }
    }
}
