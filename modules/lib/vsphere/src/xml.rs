//! Answers of the server as a light tree, read by namespace: prefixes differ between servers, and no DTD is ever obeyed.

use std::collections::HashMap;
use std::rc::Rc;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use quick_xml::reader::NsReader;

use crate::bounds::{Held, TooLarge, one_line};
use crate::error::Error;
use crate::moref::Moref;

/// `xsi:type` lives here, whatever the prefix.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

// These limits are far above what the API sends. Only option values are long, such as user data in `guestinfo`.
const DEPTH: usize = 128;
const ATTRIBUTES: usize = 64;
/// Longest name of an element or type, in bytes.
const NAME: usize = 256;
/// Longest text of an element, in bytes.
const TEXT: usize = 1 << 20;

const FEW: usize = 8;

/// Overhead of an allocation, in bytes.
const ALLOCATION: usize = 16;

/// A piece of an answer: a named value, or a named structure of such.
///
/// A document has many elements but few different tags, so elements share their tags. The memory of a document counts until
/// its last element is dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    tag: Rc<Tag>,
    text: Box<str>,
    children: Box<[Element]>,
}

/// The name and the types of elements.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tag {
    name: Box<str>,
    kind: Option<Box<str>>,
    moref_kind: Option<Box<str>>,
    /// Memory of the whole document.
    _held: Rc<Held>,
}

impl Element {
    /// Reads an XML document. [`Error::Protocol`] if it is not well-formed, has a DTD, or nests too deep;
    /// [`Error::TooLarge`] if it takes more memory than answers may.
    pub fn parse(xml: &str) -> Result<Self, Error> {
        read(xml).map_err(|flaw| match flaw {
            Flaw::TooLarge(much) => much.into(),
            Flaw::Malformed(reason) => {
                Error::Protocol(format!("the server's answer is not one of the vSphere API: {reason}"))
            }
        })
    }

    /// The local name, e.g. `returnval`.
    pub fn name(&self) -> &str {
        &self.tag.name
    }

    /// The data type that the server states (`xsi:type`), without its prefix: `LongOption`, `long`, `ArrayOfOptionValue`.
    pub fn kind(&self) -> Option<&str> {
        self.tag.kind.as_deref()
    }

    /// The text within, with the white space at its ends; empty if there is none, or if there are elements within.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Everything directly within, in order.
    pub fn all(&self) -> &[Element] {
        &self.children
    }

    /// Returns the elements directly within, without copying them.
    pub(crate) fn into_all(self) -> impl Iterator<Item = Element> {
        self.children.into_iter()
    }

    /// The first element of that name directly within.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name() == name)
    }

    /// Returns the first element of that name directly within, without copying it.
    pub(crate) fn into_child(self, name: &str) -> Option<Element> {
        self.into_all().find(|child| child.name() == name)
    }

    /// All elements of that name directly within: lists are repeated elements.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name() == name)
    }

    /// The element at a path such as `runtime/powerState`.
    pub fn at(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// The managed object reference that this element is, if its `type` attribute says that it is one.
    pub fn moref(&self) -> Option<Moref> {
        let kind = self.tag.moref_kind.as_deref()?;
        let id = self.text.trim();
        (!id.is_empty()).then(|| Moref::new(kind, id))
    }

    /// The value as `xsd:boolean`: `true`, `false`, `1` or `0`.
    pub fn flag(&self) -> Option<bool> {
        match self.text.trim() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// The value as a whole number.
    pub fn int(&self) -> Option<i64> {
        self.text.trim().parse().ok()
    }
}

/// What is wrong with a document.
enum Flaw {
    Malformed(String),
    TooLarge(TooLarge),
}

impl From<&str> for Flaw {
    fn from(reason: &str) -> Self {
        Self::Malformed(reason.to_owned())
    }
}

impl From<TooLarge> for Flaw {
    fn from(much: TooLarge) -> Self {
        Self::TooLarge(much)
    }
}

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
    /// Returns its memory without its children, in bytes.
    fn size(&self) -> usize {
        let text = if self.text.is_empty() { 0 } else { self.text.len() + ALLOCATION };
        let children = if self.children.is_empty() { 0 } else { ALLOCATION };
        size_of::<Self>() + text + children
    }
}

fn read(xml: &str) -> Result<Element, Flaw> {
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
                    return Err("it is nested too deeply or has two roots".into());
                }
                let tag = tags.of(&start, reader.resolver())?;
                open.push(Open { tag, text: String::new(), children: Vec::new() });
            }
            Event::End(_) => {
                let done = open.pop().ok_or("it ends before it begins")?.close();
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
            Event::DocType(_) => return Err("it carries a document type definition".into()),
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if !open.is_empty() {
        return Err("it ends in the middle".into());
    }
    root.ok_or("it is empty".into())
}

/// What a parser's complaint means to an administrator.
fn damaged<E>(_: E) -> Flaw {
    "it is damaged or cut short".into()
}

/// The tags of a document so far, by name.
#[derive(Default)]
struct Tags {
    held: Rc<Held>,
    known: HashMap<Box<str>, Vec<Rc<Tag>>>,
}

impl Tags {
    /// The tag with an element's name and the two attributes that matter: `xsi:type`, and `type` of a managed object
    /// reference.
    fn of(&mut self, start: &BytesStart, namespaces: &NamespaceResolver) -> Result<Rc<Tag>, Flaw> {
        let name = start.local_name();
        let name = name.as_ref();
        let mut kind = None;
        let mut moref_kind = None;
        for (index, attribute) in start.attributes().enumerate() {
            let attribute = attribute.map_err(damaged)?;
            if index == ATTRIBUTES {
                return Err("an element has too many attributes".into());
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
            return Err("a name is too long".into());
        }
        // The name is held twice: it is the key too.
        let texts: usize = [name].iter().chain(&texts).map(|text| text.len() + ALLOCATION).sum();
        self.held.add(texts + 2 * size_of::<Tag>())?;
        let tag = Rc::new(Tag {
            name: name.into(),
            kind: kind.map(Into::into),
            moref_kind: moref_kind.map(Into::into),
            _held: self.held.clone(),
        });
        self.known.entry(name.into()).or_default().push(tag.clone());
        Ok(tag)
    }
}

/// Whether the text is the name of an element, so that it can be written back. The parser takes anything.
fn is_name(text: &str) -> bool {
    let legal = |char: char| char.is_alphanumeric() || "_-.".contains(char);
    text.chars().all(legal) && text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// How many tags of the same name are searched; a hostile document may have millions.
const SEARCHED: usize = 64;

/// Adds text to the innermost open element. Outside of the root only white space is legal.
fn append(open: &mut [Open], text: &str) -> Result<(), Flaw> {
    match open.last_mut() {
        Some(element) if element.text.len() + text.len() > TEXT => Err("it has a text of more than 1 MiB".into()),
        Some(element) => {
            element.text.push_str(text);
            Ok(())
        }
        None if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() => Ok(()),
        None => Err("there is text around it".into()),
    }
}

/// The character that `&amp;`, `&#10;` and so on stand for. Entities of a DTD are unknown here.
fn character(reference: &BytesRef) -> Result<char, Flaw> {
    if let Some(char) = reference.resolve_char_ref().map_err(damaged)? {
        return Ok(char);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        name => Err(Flaw::Malformed(format!("it uses the unknown entity `{}`", one_line(name, NAME)))),
    }
}

/// `text` with everything escaped that means something in XML, in text as well as in attributes. Control characters go as
/// character references, so that none is lost or normalized on the way.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // XML 1.0 has no place for them, not even as references. Arguments with them are refused before.
            '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            char if char.is_control() => {
                out.push_str("&#");
                out.push_str(&u32::from(char).to_string());
                out.push(';');
            }
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
    fn hostile_documents_are_refused_in_words() {
        let deep = "<a>".repeat(1000);
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>"#;
        for (xml, says) in [
            (bomb, "document type definition"),
            (r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#, "document type definition"),
            ("<a>&b;</a>", "unknown entity `b`"),
            (&deep, "nested too deeply"),
            ("", "is empty"),
            ("   ", "is empty"),
            ("plain text", "text around it"),
            ("<a/><b/>", "two roots"),
            ("<a>", "ends in the middle"),
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
        fn anything_like_xml_is_read_or_refused(
            text in r#"(<[a-z:!?/]{0,3}( [a-z:]{1,3}="?[a-z&;]{0,3}"?)?/?>|&#?[a-z0-9]{0,3};?|[a-z \n])*"#
        ) {
            let _ = Element::parse(&text);
        }

        #[test]
        fn what_is_escaped_comes_back(text in any::<String>()) {
            // What XML has no place for is replaced.
            let illegal = |char: char| char < ' ' && !"\t\n\r".contains(char) || "\u{fffe}\u{ffff}".contains(char);
            let escaped = escape(&text);
            let text = text.replace(illegal, "\u{fffd}");
            let element = Element::parse(&format!("<a type=\"{escaped}\">{escaped}</a>")).unwrap();
            prop_assert_eq!(element.text(), text.as_str());
            prop_assert_eq!(element.tag.moref_kind.as_deref(), Some(text.as_str()));
        }
    }
}
