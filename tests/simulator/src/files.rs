//! What is served by plain GET: the list of API versions and files of the datastore.

use std::fmt::Write;

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, RANGE};
use hyper::http::request::Parts;

use crate::http::{Answer, session_cookie, text};
use crate::world::World;

/// `vimServiceVersions.xml`.
pub fn versions(world: &World) -> String {
    let (version, prior) = world.config.personality.versions();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<namespaces version=\"1.0\">\n <namespace>\n  <name>urn:vim25</name>\n  <version>{version}</version>\n  <priorVersions>\n"
    );
    for version in prior {
        let _ = writeln!(out, "   <version>{version}</version>");
    }
    out.push_str("  </priorVersions>\n </namespace>\n</namespaces>\n");
    out
}

/// `/folder/DIRECTORY/FILE?dcPath=…&dsName=…`: vmware.log and .vmx of the VMs.
pub fn folder(world: &World, parts: &Parts, path: &str) -> Answer {
    let session = session_cookie(&parts.headers).is_some_and(|cookie| world.sessions.contains_key(&cookie));
    if !session && !parts.headers.contains_key(AUTHORIZATION) {
        return text(StatusCode::UNAUTHORIZED, "text/plain", "log in first");
    }
    let Some(content) = content(world, &decode(path)) else {
        return text(StatusCode::NOT_FOUND, "text/plain", "not found");
    };
    let range = parts.headers.get(RANGE).and_then(|value| value.to_str().ok());
    let tail = range.and_then(|range| range.strip_prefix("bytes=-")).and_then(|count| count.parse::<usize>().ok());
    match tail {
        Some(count) => {
            let start = content.len().saturating_sub(count);
            let body = content.as_bytes()[start..].to_vec();
            text(StatusCode::PARTIAL_CONTENT, "text/plain", body)
        }
        None => text(StatusCode::OK, "text/plain", content),
    }
}

fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::new();
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let code = path
            .get(place + 1..place + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|_| *byte == b'%');
        out.push(code.unwrap_or(*byte));
        place += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn content(world: &World, path: &str) -> Option<String> {
    let (directory, file) = path.split_once('/')?;
    // The halves of a record/replay pair share a directory, and with it the log.
    let vms: Vec<_> = world
        .of_kind("VirtualMachine")
        .into_iter()
        .filter_map(|moid| Some((world.name(&moid), world.vm(&moid)?)))
        .filter(|(_, vm)| vm.directory == directory)
        .collect();
    let (name, vm) = vms.first()?;
    if file == "vmware.log" {
        let lines = vms.iter().flat_map(|(_, vm)| &vm.vmware_log);
        return Some(lines.fold(String::new(), |out, line| out + line + "\n"));
    }
    (file == format!("{name}.vmx")).then(|| {
        let mut out = String::from(".encoding = \"UTF-8\"\n");
        for (key, value) in &vm.extra {
            let _ = writeln!(out, "{key} = \"{value}\"");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_bad_escapes_left_alone() {
        let cases =
            [("a%20b/c.log", "a b/c.log"), ("%C3%A9", "é"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("é%41", "éA")];
        for (path, expected) in cases {
            assert_eq!(decode(path), expected);
        }
    }
}
