//! Properties of every reply that a server can send. The property tests and the fuzzer share them.

use std::collections::HashSet;

use crate::api::cluster::HaConfig;
use crate::api::diagnostic::LogPage;
use crate::api::esxcli::{self, PingReply};
use crate::api::ft::{FtInfo, SecondaryOp};
use crate::api::nic::NicService;
use crate::api::option::OptionDef;
use crate::session::about;
use crate::session::answer;
use crate::session::error::Error;
use crate::session::object::Object;
use crate::session::pages::Pages;
use crate::session::task;
use crate::session::version::{self, Version};
use crate::soap::element::Element;
use crate::soap::escape::is_xml_char;
use crate::soap::fault::Fault;
use crate::soap::memory::held;
use crate::soap::moref::Moref;
use crate::soap::request::Request;
use crate::wire::incoming::Incoming;
use crate::wire::transport::Response;

/// Longest message for people, in bytes.
const MESSAGE: usize = 8 * 1024;
/// Longest debug output of a fault, in bytes.
const FAULT: usize = 64 * 1024;
/// Number of elements of a reply that are read as every type.
const READ: usize = 100;

/// Checks a reply. `input` is a line with a method's name and an HTTP status, followed by the body.
///
/// # Panics
/// If a property does not hold.
pub fn reply(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (head, body) = (String::from_utf8_lossy(&input[..end]), input.get(end + 1..).unwrap_or_default());
    let (method, status) = head.trim().split_once(' ').unwrap_or((&head, "200"));
    let method =
        if method.bytes().all(|byte| byte.is_ascii_alphanumeric()) && method.len() < 100 { method } else { "M" };
    let before = held();
    let incoming = Incoming::default();
    let text = incoming.body(body.len() as u64).and_then(|mut received| received.add(body).map(|()| received.text()));
    let text = text.expect("the body is smaller than the limit");
    assert_eq!(text.len(), body.len(), "receiving changed the length");
    let answer = Response { status: status.parse().unwrap_or(200), body: text, from: None };
    match answer::read(method, &answer) {
        Ok(response) => {
            comes_back(&response);
            let mut left = READ;
            read(&response, &mut left);
            pages(response, method);
        }
        Err(error) => is_readable(&error),
    }
    assert_eq!(held(), before, "the memory of a document is still counted");
}

/// Checks that a message is one line, and not too long.
fn is_readable(error: &Error) {
    let text = error.to_string();
    assert!(!text.trim().is_empty(), "{error:?} has no words");
    assert!(text.len() <= MESSAGE, "a message of {} bytes", text.len());
    let stray = text.find(|char: char| char.is_control() || "\u{2028}\u{2029}".contains(char));
    assert_eq!(stray, None, "not one line: {text:?}");
}

/// Checks that an element that is sent back to the server arrives there unchanged.
fn comes_back(element: &Element) {
    let depth = depth(element);
    assert!(depth <= 128, "{depth} levels");
    // The envelope takes three levels. Characters that XML does not allow are replaced.
    let replaced = |text: &str| text.contains(|char: char| !is_xml_char(char));
    let replaced = |it: &Element| {
        replaced(it.text()) || it.kind().is_some_and(replaced) || it.moref().is_some_and(|moref| replaced(&moref.kind))
    };
    if depth > 125 || any(element, &replaced) {
        return;
    }
    let mut request = Request::new("Echo", &Moref::new("ServiceInstance", "this"));
    request.echo(element.name(), element);
    let message = request.message();
    let back = Element::parse(&message).unwrap_or_else(|error| panic!("{error}: {message}"));
    let back = back.at("Body/Echo").and_then(|call| call.all().last());
    assert!(back.is_some_and(|back| same(element, back)), "came back as {message}");
}

fn depth(element: &Element) -> usize {
    1 + element.all().iter().map(depth).max().unwrap_or(0)
}

fn any(element: &Element, test: &dyn Fn(&Element) -> bool) -> bool {
    test(element) || element.all().iter().any(|child| any(child, test))
}

fn same(one: &Element, other: &Element) -> bool {
    let parts = |it: &Element| (it.name().to_owned(), it.kind().map(str::to_owned), it.moref(), it.text().to_owned());
    parts(one) == parts(other)
        && one.all().len() == other.all().len()
        && one.all().iter().zip(other.all()).all(|(one, other)| same(one, other))
}

/// Reads an element and those within it as every type that this client knows.
fn read(element: &Element, left: &mut usize) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    for fault in [Fault::localized(element), Fault::soap(element)] {
        assert!(format!("{fault:?}").len() <= FAULT, "a large fault");
        assert!(!fault.leaves().is_empty());
        is_readable(&Error::Fault(fault));
    }
    if let Err(error) = about::parse(element) {
        is_readable(&error);
    }
    let moref = Moref::new("Task", "task-1");
    is_readable(&task::ask(&moref, element));
    is_readable(&Error::Timeout { what: task::describe(element, &moref), seconds: 1 });
    if let Some(Err(fault)) = task::outcome(element) {
        is_readable(&Error::Fault(fault));
    }
    let info = FtInfo::parse(element);
    assert!(info.is_secondary() == (info.role > 1));
    let services = NicService::list(element);
    assert!(services.len() <= element.all().len());
    let operation = SecondaryOp::parse(element);
    assert!(operation.attempted.len() + operation.not_attempted.len() <= count(element));
    let page = LogPage::parse(element);
    assert!(page.lines.len() <= element.all().len());
    assert!(
        OptionDef::parse(element).is_none_or(|option| element.child("key").is_some_and(|it| it.text() == option.key))
    );
    let _ = HaConfig::parse(element);
    match esxcli::read(element) {
        Ok(PingReply::Failed(why)) => assert!(!why.is_empty() && !why.contains('\n')),
        Ok(PingReply::Counted { .. }) => {}
        Err(error) => is_readable(&Error::Soap(error)),
    }
    let version = Version::parse(element.text());
    assert_eq!(Version::parse(&version.to_string()), version, "a version does not come back");
    if let Some(spoken) = version::choose(element.text()) {
        assert!(spoken == version::OLDEST || Version::parse(spoken) <= version, "{spoken} for {version}");
    }
    element.all().iter().for_each(|child| read(child, left));
}

fn count(element: &Element) -> usize {
    1 + element.all().iter().map(count).sum::<usize>()
}

/// Reads a response as a page of the property collector.
fn pages(response: Element, method: &str) {
    let mut pages = Pages::default();
    let contents = response.into_all().flat_map(|returned| match returned.child("objects") {
        Some(_) => returned.into_all().collect(),
        None => vec![returned],
    });
    for content in contents {
        if let Err(error) = pages.add(content, method) {
            is_readable(&error);
        }
    }
    let count = pages.count();
    let objects: Vec<Object> = pages.take(false).collect();
    assert_eq!(objects.iter().map(|object| &object.moref).collect::<HashSet<_>>().len(), count);
    for object in objects {
        assert!(!object.moref.id.trim().is_empty(), "an object without an id");
        is_readable(&Error::NotFound { what: object.moref.to_string(), hint: None });
        let _ = (object.name(), object.get("config.ftInfo"), object.missing("config.ftInfo"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::reply;

    const XSI: &str = r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#;

    /// Names of parts of the types.
    const NAMES: [&str; 36] = [
        "returnval",
        "objects",
        "obj",
        "propSet",
        "name",
        "val",
        "missingSet",
        "path",
        "fault",
        "localizedMessage",
        "faultMessage",
        "key",
        "message",
        "error",
        "state",
        "result",
        "info",
        "question",
        "text",
        "choice",
        "choiceInfo",
        "label",
        "optionType",
        "min",
        "max",
        "defaultValue",
        "netConfig",
        "candidateVnic",
        "device",
        "selectedVnic",
        "role",
        "secondaries",
        "powerOnResult",
        "attempted",
        "notAttempted",
        "about",
    ];
    const KINDS: [&str; 8] =
        ["NoPermission", "IntOption", "FloatOption", "ChoiceOption", "xsd:int", "a:b:c", "", "LocalizedMethodFault"];
    const TEXTS: [&str; 15] = [
        "",
        "1",
        "-9223372036854775808",
        "1e999",
        "true",
        "error",
        "success",
        "vm-63",
        "a%2fb%",
        "8.0.3.0",
        "two&#10;lines",
        "vm\u{b}7",
        "\u{2028}",
        "*types.NotFound",
        "é<![CDATA[<]]>",
    ];

    fn element() -> impl Strategy<Value = String> {
        let attribute = prop_oneof![
            3 => Just(String::new()),
            1 => select(&KINDS[..]).prop_map(|kind| format!(" xsi:type=\"{kind}\"")),
            1 => Just(" type=\"VirtualMachine\"".to_owned()),
        ];
        let leaf = prop_oneof![4 => select(&TEXTS[..]).prop_map(str::to_owned), 1 => any::<String>().prop_map(|text| crate::soap::escape::escape(&text))];
        let named = move |inner: BoxedStrategy<String>| {
            (select(&NAMES[..]), attribute.clone(), inner)
                .prop_map(|(name, attribute, inner)| format!("<{name}{attribute}>{inner}</{name}>"))
                .boxed()
        };
        named(leaf.boxed()).prop_recursive(6, 40, 6, move |inner| {
            named(prop::collection::vec(inner, 0..6).prop_map(|parts| parts.concat()).boxed())
        })
    }

    fn envelope(body: &str) -> Vec<u8> {
        format!("M 200\n<e:Envelope xmlns:e=\"e\" {XSI}><e:Body>{body}</e:Body></e:Envelope>").into_bytes()
    }

    proptest! {
        #[test]
        fn typed_replies_keep_the_invariants(parts in prop::collection::vec(element(), 0..4), fault in any::<bool>()) {
            let parts = parts.concat();
            reply(&if fault {
                envelope(&format!("<e:Fault><faultstring>No.</faultstring><detail>{parts}</detail></e:Fault>"))
            } else {
                envelope(&format!("<MResponse>{parts}</MResponse>"))
            });
        }

        #[test]
        fn damaged_replies_keep_the_invariants(part in element(), at in any::<prop::sample::Index>(), byte in any::<u8>(), status in 100u16..600) {
            let mut input = envelope(&format!("<MResponse>{part}</MResponse>"));
            let at = at.index(input.len());
            input[at] = byte;
            reply(&input);
            reply(&[format!("M {status}\n").as_bytes(), &input[at..]].concat());
        }
    }

    #[test]
    fn the_corpus_of_the_fuzzer_keeps_the_invariants() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/soap_reply");
        for file in std::fs::read_dir(folder).unwrap() {
            reply(&std::fs::read(file.unwrap().path()).unwrap());
        }
    }
}
