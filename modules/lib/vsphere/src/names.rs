//! Names of inventory objects: how vSphere escapes them, and which ones look alike.

/// The name as people typed it: vSphere escapes `/`, `\` and `%` in `ManagedEntity.name` as `%2f`, `%5c` and `%25`.
/// One pass, so that a name which contains a literal `%2f` survives.
pub(crate) fn decode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest.get(at..at + 3).unwrap_or_default();
        let plain = match code.to_ascii_lowercase().as_str() {
            "%2f" => '/',
            "%5c" => '\\',
            "%25" => '%',
            _ => {
                out.push('%');
                rest = &rest[at + 1..];
                continue;
            }
        };
        out.push(plain);
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    out
}

/// Up to three of `names` that someone who typed `wanted` may have meant, nearest first.
pub(crate) fn nearest(wanted: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let limit = (wanted.chars().count() / 3).max(1);
    let mut ranked: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = strsim::osa_distance(&wanted, &lower);
            // `esx1` for `esx1.lab.example` is a likely slip that no edit distance forgives.
            let short = lower.split('.').next() == wanted.split('.').next();
            (distance <= limit || short).then_some((distance, name))
        })
        .collect();
    ranked.sort();
    ranked.dedup();
    ranked.truncate(3);
    ranked.into_iter().map(|(_, name)| name).collect()
}

/// The hint of a "not found" error: the nearest names, or nothing.
pub(crate) fn hint(wanted: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    let near = nearest(wanted, names);
    (!near.is_empty()).then(|| format!("similar names: {}", quoted(&near)))
}

/// `a`, `b` and so on, each in back-quotes.
pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_read_as_typed() {
        for (wire, typed) in [
            ("inner", "inner"),
            ("a%2fb", "a/b"),
            ("a%2Fb%5cc%25d", "a/b\\c%d"),
            ("a%252fb", "a%2fb"),
            ("100%", "100%"),
            ("%2", "%2"),
            ("%zzé%", "%zzé%"),
            ("%é%2f", "%é/"),
        ] {
            assert_eq!(decode(wire), typed, "{wire}");
        }
    }

    #[test]
    fn nearest_names_are_few_and_near() {
        let names = || ["inner", "Inner", "innner", "outer", "vcsa", "iner", "inne"].into_iter().map(str::to_owned);
        assert_eq!(nearest("inner", names()), ["Inner", "inner", "iner"]);
        assert!(nearest("database", names()).is_empty());
        let hosts = ["esx1.lab.example".to_owned(), "esx2.lab.example".to_owned()];
        assert_eq!(hint("esx1", hosts).as_deref(), Some("similar names: `esx1.lab.example`"));
    }
}
