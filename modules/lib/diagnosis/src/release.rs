//! Releases of ESXi, to tell which remedies exist where.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// A release of ESXi, as servers write it (`7.0.2`) or as people do (`7.0 U2`, `7.0 Update 2`).
#[derive(Debug, Clone)]
pub struct Release(Vec<u32>);

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a version of ESXi, such as 5.0, 7.0.2 or 7.0 U2");
        let lower = text.trim().to_ascii_lowercase();
        let (version, update) = match lower.split_once('u') {
            Some((version, update)) => (version, Some(update.trim_start_matches("pdate").trim())),
            None => (lower.as_str(), None),
        };
        let numbers = version.trim().split('.').map(str::parse).collect::<Result<Vec<u32>, _>>();
        let mut numbers = numbers.map_err(|_| wrong())?;
        if let Some(update) = update {
            // The letter of 7.0 U3c is a patch.
            let digits = update.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
            numbers.resize(2, 0);
            numbers.push(digits.parse().map_err(|_| wrong())?);
        }
        Ok(Self(numbers))
    }
}

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Ord for Release {
    /// Number by number; missing numbers count as 0.
    fn cmp(&self, other: &Self) -> Ordering {
        let number = |release: &Self, at: usize| release.0.get(at).copied().unwrap_or(0);
        (0..self.0.len().max(other.0.len()))
            .map(|at| number(self, at).cmp(&number(other, at)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialEq for Release {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Release {}

impl PartialOrd for Release {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Release {
    /// With dots: `7.0.2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_as_people_and_servers_write_them() {
        for text in ["7.0.2", "7.0 U2", "7.0U2", "7.0u2a", " 7.0 Update 2 ", "7.0 update 2"] {
            assert_eq!(text.parse::<Release>().map(|it| it.to_string()), Ok("7.0.2".to_owned()), "{text}");
        }
        for text in ["", "seven", "7.x", "7.0 Ultra", "U2"] {
            assert!(text.parse::<Release>().is_err(), "{text}");
        }
    }

    #[test]
    fn releases_are_ordered_by_their_numbers() {
        let release = |text: &str| text.parse::<Release>().unwrap();
        assert!(release("6.7") < release("7.0.2") && release("7.0 U1") < release("7.0.2"));
        assert!(release("8.0") > release("7.0.2") && release("10.0") > release("9.1"));
        assert_eq!(release("7.0").cmp(&release("7.0.0")), Ordering::Equal);
        assert!(release("7.0") == release("7.0.0") && release("7.0") != release("7.0.1"));
    }
}
