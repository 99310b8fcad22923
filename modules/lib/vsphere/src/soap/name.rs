//! Names of inventory objects, as vSphere escapes them.

/// Returns the name as people typed it: vSphere escapes `/`, `\` and `%` in `ManagedEntity.name` as `%2f`, `%5c` and `%25`.
///
/// Decodes once, so that a name which contains a literal `%2f` survives.
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
}
