//! Writes values as XML, with the attributes of a real server.

use quick_xml::escape::escape;

use crate::schema::{self, Version};
use crate::value::{Data, Value};

/// Writes one value as an element.
///
/// `any` is true if the element is declared as `anyType`. `version` is the API version of the request; fields that are
/// newer are left out.
pub fn element(out: &mut String, name: &str, value: &Value, any: bool, version: Version) {
    match value {
        Value::List(kind, items) if any => {
            open(out, name, Some(&value.type_name()), "");
            let item = match *kind {
                "string" | "int" => (*kind).to_owned(),
                kind => kind.to_owned(),
            };
            for entry in items {
                element(out, &item, entry, false, version);
            }
            end(out, name);
        }
        Value::List(_, items) => {
            for entry in items {
                element(out, name, entry, false, version);
            }
        }
        Value::Ref(reference) => {
            let kind = format!(" type=\"{}\"", escape(&reference.kind));
            open(out, name, any.then_some("ManagedObjectReference"), &kind);
            out.push_str(&escape(&reference.moid));
            end(out, name);
        }
        Value::Data(data) => {
            open(out, name, Some(&data.kind), "");
            fields(out, data, version);
            end(out, name);
        }
        primitive => {
            let kind = any.then(|| primitive.type_name());
            open(out, name, kind.as_deref(), "");
            out.push_str(&text(primitive));
            end(out, name);
        }
    }
}

/// Writes the fields of a data object, without the element around them, in the order of the WSDL. A required field that
/// is not set gets its default.
pub fn fields(out: &mut String, data: &Data, version: Version) {
    let declared = schema::fields(&data.kind);
    if declared.is_empty() {
        for (name, value) in &data.fields {
            element(out, name, value, false, version);
        }
    }
    for field in declared.iter().filter(|field| field.since <= version) {
        // A primitive has `xsi:type` only if the declared type is `anyType`.
        let any = field.kind == "anyType";
        match data.get(field.name) {
            Some(value) => element(out, field.name, value, any, version),
            None => {
                if let Some(value) = schema::default(field, None) {
                    element(out, field.name, &value, any, version);
                }
            }
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Short(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::Str(value) | Value::Time(value) | Value::Enum(_, value) => escape(value.as_str()).into_owned(),
        _ => String::new(),
    }
}

fn open(out: &mut String, name: &str, kind: Option<&str>, attributes: &str) {
    out.push('<');
    out.push_str(name);
    out.push_str(attributes);
    if let Some(kind) = kind {
        out.push_str(" xsi:type=\"");
        out.push_str(kind);
        out.push('"');
    }
    out.push('>');
}

fn end(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::soap::node::Node;

    const OPEN: &str = r#"<a xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">"#;

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was(key in "[ -~]{0,20}", text in "[ -~\u{a0}-\u{d7ff}]{0,40}") {
            let option = Data::new("OptionValue").with("key", &key).with("value", &text);
            let mut out = String::from(OPEN);
            element(&mut out, "option", &option.into(), false, [9; 4]);
            out.push_str("</a>");
            let node = Node::parse(&out).unwrap();
            let option = node.child("option").unwrap();
            prop_assert_eq!(option.xsi_type.as_deref(), Some("OptionValue"));
            prop_assert_eq!(&option.child("key").unwrap().text, &key);
            let value = option.child("value").unwrap();
            prop_assert_eq!((&value.text, value.xsi_type.as_deref()), (&text, Some("xsd:string")));
        }

        #[test]
        fn nothing_breaks_the_reader(text in "\\PC{0,80}", inside in "[<>&;/a=\" ]{0,40}") {
            let _ = Node::parse(&text);
            let _ = Node::parse(&format!("<a>{inside}</a>"));
        }
    }
}
