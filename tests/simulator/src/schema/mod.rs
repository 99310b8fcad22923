//! The types of the API: properties, fields, methods and enumerations, with the version that introduced each.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use crate::value::{Data, Ref, Value};

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

/// A field of a data object, a property of a managed object or a parameter of a method.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// The declared type: of one item if it is an array.
    pub kind: &'static str,
    /// True if it may occur several times.
    pub array: bool,
    /// True if it may be left out.
    pub optional: bool,
    /// The first version that has it.
    pub since: Version,
}

/// A method of the API.
pub struct Method {
    /// The type of the managed object that it belongs to.
    pub kind: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// Its parameters in order.
    pub params: Vec<Field>,
}

struct Type {
    base: &'static str,
    since: Version,
    own: &'static str,
    /// Parsed on first use, because most types are never used in a run.
    fields: OnceLock<Vec<Field>>,
}

#[derive(Default)]
struct Table {
    types: HashMap<&'static str, Type>,
    enums: HashMap<&'static str, &'static str>,
    methods: HashMap<&'static str, Method>,
    subtypes: HashMap<&'static str, Vec<&'static str>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    for line in include_str!("types.txt").lines().filter(|line| !line.starts_with('#')) {
        table.read(line);
    }
    table
});

impl Table {
    fn read(&mut self, line: &'static str) -> Option<()> {
        if let Some((name, words)) = line.split_once(" = ") {
            self.enums.insert(name, words);
            return Some(());
        }
        let (head, own) = line.split_once(" |")?;
        let mut parts = head.split(' ');
        let (name, since) = versioned(parts.next()?);
        let (mark, base) = (parts.next()?, parts.next()?);
        if mark == "(" {
            self.methods.insert(name, Method { kind: base, since, params: fields_of(own).collect() });
        } else {
            self.types.insert(name, Type { base, since, own, fields: OnceLock::new() });
            self.subtypes.entry(base).or_default().push(name);
        }
        Some(())
    }
}

/// Reads `name@version`; without a version, the first version has it.
fn versioned(text: &'static str) -> (&'static str, Version) {
    text.split_once('@').map_or((text, [2, 0, 0, 0]), |(name, since)| (name, version(since)))
}

fn fields_of(text: &'static str) -> impl Iterator<Item = Field> {
    text.split_whitespace().filter_map(|entry| {
        let (name, kind) = entry.split_once(':')?;
        let (kind, since) = versioned(kind);
        let (kind, optional) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
        let (kind, array) = kind.strip_suffix("[]").map_or((kind, false), |kind| (kind, true));
        Some(Field { name, kind, array, optional, since })
    })
}

/// The fields of a type in the order of the WSDL, those of its base types first; empty for an unknown type.
pub fn fields(kind: &str) -> &'static [Field] {
    let Some(entry) = TABLE.types.get(kind) else {
        return &[];
    };
    entry.fields.get_or_init(|| {
        let mut bases = vec![entry];
        while let Some(base) = bases.last().and_then(|last| TABLE.types.get(last.base)) {
            bases.push(base);
        }
        bases.iter().rev().flat_map(|entry| fields_of(entry.own)).collect()
    })
}

/// The field of this name, if the type has it in any version.
pub fn field(kind: &str, name: &str) -> Option<&'static Field> {
    fields(kind).iter().find(|field| field.name == name)
}

/// The method of this name.
pub fn method(name: &str) -> Option<&'static Method> {
    TABLE.methods.get(name)
}

/// The words of an enumeration.
pub fn words(kind: &str) -> Option<impl Iterator<Item = &'static str>> {
    TABLE.enums.get(kind).map(|words| words.split(' '))
}

/// True if the version has this type of data or managed object.
pub fn is_type(kind: &str, version: Version) -> bool {
    TABLE.types.get(kind).is_some_and(|entry| entry.since <= version)
}

/// True if values of this type are references.
pub fn is_managed(kind: &str) -> bool {
    is_a(kind, "ManagedObject")
}

/// True if `kind` is `base` or one of its subclasses.
pub fn is_a(kind: &str, base: &str) -> bool {
    let mut kind = kind;
    while kind != base {
        match TABLE.types.get(kind) {
            Some(entry) => kind = entry.base,
            None => return false,
        }
    }
    true
}

/// True if the type has this field in this version. Types that are not in the table have every field.
pub fn known(kind: &str, name: &str, version: Version) -> bool {
    !TABLE.types.contains_key(kind) || field(kind, name).is_some_and(|field| field.since <= version)
}

/// The properties of a managed object type in this version, including those of its base types.
pub fn properties(kind: &str, version: Version) -> Vec<&'static str> {
    fields(kind).iter().filter(|field| field.since <= version).map(|field| field.name).collect()
}

/// The default of a required field that is not set: false, 0, the first word, or a reference to the given object.
pub fn default(field: &Field, object: Option<&Ref>) -> Option<Value> {
    if field.array || field.optional {
        return None;
    }
    Some(match field.kind {
        "boolean" => false.into(),
        "long" => 0_i64.into(),
        "short" => 0_i16.into(),
        "byte" | "int" | "float" | "double" => 0.into(),
        "dateTime" => Value::Time("1970-01-01T00:00:00Z".into()),
        kind if is_managed(kind) => {
            let object = object?;
            Ref::new(if is_a(&object.kind, kind) { &object.kind } else { kind }, &object.moid).into()
        }
        kind if TABLE.types.contains_key(kind) => Data::new(kind).into(),
        kind => match words(kind).and_then(|mut words| words.next()) {
            Some(word) => Value::Enum(kind, word.into()),
            None => "".into(),
        },
    })
}

/// Splits a property path into steps: a name, and the key in brackets if there is one.
///
/// A key may contain dots: `config.extraConfig["replay.supported"].value` has three steps.
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

/// True if a dotted path names a property of the type in this version.
///
/// A field declared with a base type may hold a subclass, so the subclasses' fields count too.
pub fn path_exists(kind: &str, path: &str, version: Version) -> bool {
    let mut kinds = vec![kind];
    for (name, _) in segments(path) {
        let mut next = Vec::new();
        while let Some(kind) = kinds.pop() {
            kinds.extend(TABLE.subtypes.get(kind).into_iter().flatten());
            next.extend(field(kind, name).filter(|field| field.since <= version).map(|field| field.kind));
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return false;
        }
        // A path ends at a reference, because it cannot continue into another object.
        next.retain(|kind| !is_managed(kind));
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
            ("VirtualMachine", "runtime.host", "5.0", true),
            ("VirtualMachine", "runtime.host.name", "5.0", false),
        ];
        for (kind, path, api, expected) in cases {
            assert_eq!(path_exists(kind, path, version(api)), expected, "{kind} {path} {api}");
        }
    }
}
