//! Checks a call against the WSDL, as strictly as a real server. The texts are those of a real server where they are known.
//!
//! Issues of public clients quote them: vmware-archive/rbvmomi#132 (elements), OpenNebula/one#5662 (values),
//! bhoriuchi/vsphere-connect#12 (`_this`), yavijava/yavijava#181 (methods), vmware/govmomi#1424 (types).

use crate::fault::{Fault, Result};
use crate::schema::{self, Field, Method, Version};

use super::envelope::Call;
use super::node::Node;

/// Checks the arguments of a call.
pub fn arguments(call: &Call, method: &Method, version: Version) -> Result<()> {
    let missing = |name: &str| format!("Required parameter {name} is missing");
    sequence(&call.args.children[1..], &method.params, version, missing, parameter).map_err(|fault| call.place(fault))
}

fn parameter(node: &Node, field: &Field, version: Version) -> Result<()> {
    value(node, field.kind, version)
}

fn property(node: &Node, field: &Field, version: Version) -> Result<()> {
    value(node, field.kind, version).map_err(|fault| {
        let array = if field.array { "ArrayOf" } else { "" };
        fault.while_parsing(&format!("property \"{}\" of static type {array}{}", field.name, field.kind))
    })
}

/// Checks a sequence of elements against these fields: known in this version, in order, not repeated unless the field is
/// an array, and complete.
fn sequence(
    nodes: &[Node],
    fields: &[Field],
    version: Version,
    missing: impl Fn(&str) -> String,
    check: fn(&Node, &Field, Version) -> Result<()>,
) -> Result<()> {
    let mut rest = fields.iter().filter(|field| field.since <= version).peekable();
    let mut last: Option<&Field> = None;
    for node in nodes {
        let again = last.filter(|field| field.array && field.name == node.name);
        let field = again.or_else(|| {
            while let Some(field) = rest.next_if(|field| field.name == node.name || field.optional) {
                if field.name == node.name {
                    return Some(field);
                }
            }
            None
        });
        let Some(field) = field.filter(|_| node.namespace == "urn:vim25") else {
            return Err(unexpected(node));
        };
        check(node, field, version)?;
        last = Some(field);
    }
    match rest.find(|field| !field.optional) {
        Some(field) => Err(Fault::invalid_request(&missing(field.name))),
        None => Ok(()),
    }
}

fn unexpected(node: &Node) -> Fault {
    Fault::invalid_request(&format!("Unexpected element tag \"{}\" seen", node.name))
}

/// Checks an element against the declared type of its content.
fn value(node: &Node, declared: &str, version: Version) -> Result<()> {
    let named = node.xsi_type.as_deref();
    let unfitting = || Err(Fault::invalid_type(named.unwrap_or(declared)));
    if declared == "anyType" {
        return named.map_or(Ok(()), |named| any(node, named, version));
    }
    if schema::is_managed(declared) {
        return if named.is_none_or(|named| named == "ManagedObjectReference") {
            reference(node, declared, version)
        } else {
            unfitting()
        };
    }
    if schema::is_type(declared, version) {
        let own = named.unwrap_or(declared);
        return if schema::is_type(own, version) && schema::is_a(own, declared) {
            object(node, own, version)
        } else {
            unfitting()
        };
    }
    match named.map(|named| named.strip_prefix("xsd:").unwrap_or(named)) {
        Some(named) if named != declared => unfitting(),
        _ => simple(node, declared),
    }
}

/// Checks content whose type is the one that `xsi:type` names.
fn any(node: &Node, named: &str, version: Version) -> Result<()> {
    if let Some(primitive) = named.strip_prefix("xsd:") {
        return simple(node, primitive);
    }
    if let Some(item) = named.strip_prefix("ArrayOf") {
        let lower = item.to_ascii_lowercase();
        let item = if is_primitive(&lower) { lower.as_str() } else { item };
        return node.children.iter().try_for_each(|child| value(child, item, version));
    }
    // pyvmomi writes the second.
    if ["ManagedObjectReference", "ManagedObject"].contains(&named) {
        return reference(node, "ManagedObject", version);
    }
    if schema::words(named).is_some() {
        return simple(node, named);
    }
    if schema::is_type(named, version) && !schema::is_managed(named) {
        return object(node, named, version);
    }
    Err(Fault::invalid_type(named))
}

fn object(node: &Node, kind: &str, version: Version) -> Result<()> {
    let missing = |name: &str| format!("Required property {name} is missing from data object of type {kind}");
    let checked = if node.text.trim().is_empty() {
        sequence(&node.children, schema::fields(kind), version, missing, property)
    } else {
        Err(Fault::invalid_request(&format!("Unexpected text \"{}\" seen", node.text.trim())))
    };
    checked.map_err(|fault| fault.while_parsing(&format!("serialized DataObject of type {kind}\nat {}", node.place)))
}

/// Checks a reference. It may name a base type of the object's type.
fn reference(node: &Node, declared: &str, version: Version) -> Result<()> {
    if let Some(child) = node.children.first() {
        return Err(unexpected(child));
    }
    match &node.kind {
        Some(kind) if !schema::is_managed(kind) || !schema::is_type(kind, version) => Err(Fault::invalid_type(kind)),
        Some(kind) if !schema::is_a(kind, declared) && !schema::is_a(declared, kind) => Err(Fault::invalid_type(kind)),
        _ => Ok(()),
    }
}

fn is_primitive(kind: &str) -> bool {
    let kinds = ["boolean", "byte", "short", "int", "long", "float", "double", "string", "dateTime", "anyURI"];
    kinds.contains(&kind) || kind == "base64Binary"
}

/// Checks the text of a primitive or an enumeration.
fn simple(node: &Node, kind: &str) -> Result<()> {
    if let Some(child) = node.children.first() {
        return Err(unexpected(child));
    }
    let text = node.text.trim();
    let right = match kind {
        "boolean" => ["true", "false", "1", "0"].contains(&text),
        "byte" => text.parse::<i8>().is_ok(),
        "short" => text.parse::<i16>().is_ok(),
        "int" => text.parse::<i32>().is_ok(),
        "long" => text.parse::<i64>().is_ok(),
        "float" | "double" => ["INF", "-INF", "NaN"].contains(&text) || number(text),
        "dateTime" => is_time(text),
        "base64Binary" => text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/= \n\r\t".contains(&byte)),
        "string" | "anyURI" => true,
        _ => match schema::words(kind) {
            Some(mut words) => words.any(|word| word == text),
            None => return Err(Fault::invalid_type(kind)),
        },
    };
    if right {
        return Ok(());
    }
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let fault = Fault::invalid_request(&format!("Cannot parse \"{text}\" as {article} {kind} value"));
    Err(fault.while_parsing(&format!("serialized value of type {kind}\nat {}", node.place)))
}

/// True for a decimal number. Rust's parser would also accept words such as `infinity`.
fn number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) && text.parse::<f64>().is_ok()
}

/// True for `2011-07-31T17:35:02`, optionally with a fraction and a zone.
fn is_time(text: &str) -> bool {
    let shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape.bytes())
                .all(|(own, mark)| if mark == b'0' { own.is_ascii_digit() } else { own == mark })
    };
    let (Some(start), Some(rest)) = (text.get(..19), text.get(19..)) else {
        return false;
    };
    let rest = rest.strip_prefix('.').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    shape(start, "0000-00-00T00:00:00")
        && (rest.is_empty() || rest == "Z" || shape(rest, "+00:00") || shape(rest, "-00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_xml_schema() {
        let cases = [
            ("boolean", "1 true", "TRUE 2 yes"),
            ("byte", "-128 127", "128 x"),
            ("short", "+1 -32768", "32768"),
            ("int", "0 -2147483648", "2147483648 1e3 0x1"),
            ("long", "9223372036854775807", "9223372036854775808"),
            ("double", "1 -1.5e3 INF NaN", "infinity 1,5"),
            (
                "dateTime",
                "2011-07-31T17:35:02Z 2011-07-31T17:35:02.5 2011-07-31T17:35:02+02:00",
                "2011-07-31 17:35:02 soon",
            ),
            ("base64Binary", "AAE= Zm8+", "A_A="),
            ("VirtualMachinePowerState", "poweredOn", "PoweredOn on"),
        ];
        for (kind, right, wrong) in cases {
            for (texts, expected) in [(right, true), (wrong, false)] {
                for text in texts.split(' ') {
                    let node = Node { text: text.to_owned(), ..Node::default() };
                    assert_eq!(simple(&node, kind).is_ok(), expected, "{kind} {text}");
                }
            }
        }
    }

    #[test]
    fn every_served_method_is_in_the_table() {
        for name in crate::methods::names() {
            assert!(schema::method(name).is_some(), "{name}: run schema/generate.py");
        }
    }
}
