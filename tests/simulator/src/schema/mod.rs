//! The types of the API: which properties exist, since which version, and what they hold.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A version of the API, such as 5.0 or 8.0.2.0, comparable.
pub type Version = [u16; 4];

/// Reads `6.7` or `8.0.2.0`; anything that is not a number counts as the newest.
pub fn version(text: &str) -> Version {
    let mut parts = [0; 4];
    for (slot, part) in parts.iter_mut().zip(text.split('.')) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        match digits.parse() {
            Ok(number) => *slot = number,
            Err(_) => return [u16::MAX; 4],
        }
    }
    parts
}

struct Property {
    name: &'static str,
    kind: &'static str,
    since: Version,
}

struct Type {
    base: &'static str,
    properties: Vec<Property>,
}

static TYPES: LazyLock<HashMap<&'static str, Type>> = LazyLock::new(|| {
    include_str!("types.txt").lines().filter(|line| !line.starts_with('#')).filter_map(parse).collect()
});

fn parse(line: &'static str) -> Option<(&'static str, Type)> {
    let (head, rest) = line.split_once(" |")?;
    let (name, base) = head.split_once(" < ")?;
    let properties = rest
        .split_whitespace()
        .filter_map(|entry| {
            let (name, kind) = entry.split_once(':')?;
            let (kind, since) = kind.split_once('@').unwrap_or((kind, "2.0"));
            Some(Property { name, kind: kind.trim_end_matches("[]"), since: version(since) })
        })
        .collect();
    Some((name, Type { base, properties }))
}

fn find(kind: &str, name: &str) -> Option<&'static Property> {
    let mut kind = kind;
    while let Some(entry) = TYPES.get(kind) {
        if let Some(property) = entry.properties.iter().find(|p| p.name == name) {
            return Some(property);
        }
        kind = entry.base;
    }
    None
}

/// Whether `kind` is `base` or one of its subclasses.
pub fn is_a(kind: &str, base: &str) -> bool {
    let mut kind = kind;
    loop {
        if kind == base {
            return true;
        }
        match TYPES.get(kind) {
            Some(entry) => kind = entry.base,
            None => return false,
        }
    }
}

/// Whether the type has this field in this version; types that are not in the table have every field.
pub fn known(kind: &str, field: &str, version: Version) -> bool {
    !TYPES.contains_key(kind)
        || match find(kind, field) {
            Some(property) => property.since <= version,
            None => false,
        }
}

/// The managed object's own properties in this version, those of its base types included.
pub fn properties(kind: &str, version: Version) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut kind = kind;
    while let Some(entry) = TYPES.get(kind) {
        names.extend(entry.properties.iter().filter(|p| p.since <= version).map(|p| p.name));
        kind = entry.base;
    }
    names
}

/// The steps of a property path: a name each, and the key in brackets behind it, if there is one.
///
/// Keys hold dots: `config.extraConfig["replay.supported"].value` has three steps.
pub fn segments(path: &str) -> Vec<(&str, Option<&str>)> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        let (key, tail) = match tail.strip_prefix('[').and_then(|tail| tail.split_once(']')) {
            Some((key, tail)) => (Some(key.trim_matches('"')), tail),
            None => (None, tail),
        };
        steps.push((name, key));
        rest = tail.strip_prefix('.').unwrap_or(tail);
    }
    steps
}

/// Whether a dotted path names a property of the type in this version.
///
/// A field declared with a base type may hold a subclass, so the subclasses' fields count too.
pub fn path_exists(kind: &str, path: &str, version: Version) -> bool {
    let mut kinds = vec![kind.to_owned()];
    for (name, _) in segments(path) {
        let mut next = Vec::new();
        let mut open = false;
        for kind in &kinds {
            if !TYPES.contains_key(kind.as_str()) {
                // Primitives have no fields; of other types outside the table nothing is known.
                open |= !kind.starts_with(char::is_lowercase);
                continue;
            }
            let family = TYPES.keys().filter(|other| is_a(other, kind));
            for property in family.filter_map(|kind| find(kind, name)) {
                if property.since <= version {
                    next.push(property.kind.to_owned());
                }
            }
        }
        if open {
            return true;
        }
        if next.is_empty() {
            return false;
        }
        next.dedup();
        kinds = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_judged_by_type_and_version() {
        let cases = [
            ("VirtualMachine", "runtime.faultToleranceState", "4.0", true),
            ("VirtualMachine", "runtime.faultToleranceState", "2.5", false),
            ("VirtualMachine", "config.ftInfo.secondaries", "5.0", true),
            ("VirtualMachine", "config.ftInfo.orphaned", "5.0", false),
            ("VirtualMachine", "config.ftInfo.orphaned", "6.0", true),
            ("VirtualMachine", "nonsense", "8.0", false),
            ("HostSystem", "capability.smpFtSupported", "5.0", false),
            ("HostSystem", "capability.smpFtSupported", "6.0", true),
            ("ClusterComputeResource", "configurationEx.dasConfig.enabled", "5.0", true),
            ("ClusterComputeResource", "name", "5.0", true),
            ("VirtualMachine", "config.extraConfig[\"a.b\"].value", "5.0", true),
            ("VirtualMachine", "name.length", "5.0", false),
        ];
        for (kind, path, api, expected) in cases {
            assert_eq!(path_exists(kind, path, version(api)), expected, "{kind} {path} {api}");
        }
    }
}
