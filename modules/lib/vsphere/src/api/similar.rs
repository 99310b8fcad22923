//! Hints at similar names, for names that are not found.

/// Returns up to three of `names` that someone who typed `wanted` may have meant, nearest first.
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

/// Returns the hint of a "not found" error: the nearest names, if any are near.
pub(crate) fn hint(wanted: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    let near = nearest(wanted, names);
    (!near.is_empty()).then(|| format!("similar names: {}", quoted(&near)))
}

/// Joins names, each in back-quotes, with commas.
pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_are_few_and_near() {
        let names = || ["inner", "Inner", "innner", "outer", "vcsa", "iner", "inne"].into_iter().map(str::to_owned);
        assert_eq!(nearest("inner", names()), ["Inner", "inner", "iner"]);
        assert!(nearest("database", names()).is_empty());
        let hosts = ["esx1.lab.example".to_owned(), "esx2.lab.example".to_owned()];
        assert_eq!(hint("esx1", hosts).as_deref(), Some("similar names: `esx1.lab.example`"));
    }
}
