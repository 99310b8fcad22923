//! Version numbers, and the choice of the API version.

use std::cmp::Ordering;
use std::fmt;

/// A product or API version such as `8.0.3.0`, compared number by number; missing numbers count as 0.
#[derive(Debug, Clone, Default)]
pub struct Version(Vec<u32>);

impl Version {
    /// Reads the leading numbers of `text` (`6.7.0-patch` is 6.7.0); without any, the version is 0.0.
    pub fn parse(text: &str) -> Self {
        let mut numbers = Vec::new();
        for part in text.trim().split('.') {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let Ok(number) = part[..end].parse() else {
                break;
            };
            numbers.push(number);
            if end < part.len() {
                break;
            }
        }
        Self(numbers)
    }

    /// Returns the first number: 8 of 8.0.3.
    pub fn major(&self) -> u32 {
        self.number(0)
    }

    /// Returns the second number: 7 of 6.7.0.
    pub fn minor(&self) -> u32 {
        self.number(1)
    }

    /// True for `major.minor` and later versions.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.major(), self.minor()) >= (major, minor)
    }

    fn number(&self, index: usize) -> u32 {
        self.0.get(index).copied().unwrap_or(0)
    }

    /// Reads a version that consists only of numbers and dots.
    fn strict(text: &str) -> Option<Self> {
        let numbers: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        numbers.ok().map(Self)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (0..self.0.len().max(other.0.len()))
            .map(|i| self.number(i).cmp(&other.number(i)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())?;
        for number in self.0.iter().skip(2) {
            write!(f, ".{number}")?;
        }
        Ok(())
    }
}

/// API versions that this client speaks, lowest first. A version decides which types and properties the server shows.
const SPOKEN: [&str; 10] = ["4.1", "5.0", "5.1", "5.5", "6.0", "6.5", "6.7", "7.0.0.0", "7.0.2.0", "8.0.0.0"];

/// Returns the version of that name, if this client speaks it.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    SPOKEN.into_iter().find(|known| *known == name)
}

/// The version that every supported server understands, for the first request.
pub(crate) const OLDEST: &str = SPOKEN[0];

/// Returns the highest spoken version that a server with this `about.apiVersion` understands; `None` if that is not a number
/// (development builds), and the server's list must be read.
pub(crate) fn choose(api_version: &str) -> Option<&'static str> {
    let server = Version::strict(api_version)?;
    let known = SPOKEN.iter().rev().find(|spoken| Version::parse(spoken) <= server);
    Some(known.unwrap_or(&OLDEST))
}

/// Returns the highest spoken version that the server lists (`vimServiceVersions.xml`).
pub(crate) fn choose_listed(listed: &[&str]) -> &'static str {
    let known = SPOKEN.iter().rev().find(|spoken| listed.iter().any(|version| version == *spoken));
    known.unwrap_or(&OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_numbers() {
        for (low, high) in [("5.0.0", "5.1"), ("6.7.3", "6.10"), ("9.0", "10.0"), ("junk", "4.1")] {
            assert!(Version::parse(low) < Version::parse(high), "{low} < {high}");
        }
        assert_eq!(Version::parse("7.0"), Version::parse("7.0.0.0"));
        assert_eq!(Version::parse(""), Version::parse("0.0"));
        assert_eq!(Version::parse("99999999999.1"), Version::default());
    }

    #[test]
    fn versions_print_as_read() {
        for (text, shown) in [("8.0.3.0", "8.0.3.0"), ("5", "5.0"), ("6.7.0-beta", "6.7.0"), ("", "0.0")] {
            assert_eq!(Version::parse(text).to_string(), shown);
        }
        assert!(Version::parse("6.5").at_least(6, 5));
        assert!(!Version::parse("6.5.9").at_least(6, 7));
        assert!(Version::parse("7.0").at_least(6, 7));
    }

    #[test]
    fn the_highest_common_version_is_spoken() {
        for (server, spoken) in [
            ("4.0", "4.1"),
            ("4.1", "4.1"),
            ("5.0", "5.0"),
            ("5.5.1", "5.5"),
            ("6.0", "6.0"),
            ("6.5", "6.5"),
            ("6.8.7", "6.7"),
            ("6.9.1", "6.7"),
            ("7.0", "7.0.0.0"),
            ("7.0.1.0", "7.0.0.0"),
            ("7.0.2.0", "7.0.2.0"),
            ("7.0.3.2", "7.0.2.0"),
            ("8.0.0.1", "8.0.0.0"),
            ("8.0.3.0", "8.0.0.0"),
            ("9.0.0.0", "8.0.0.0"),
        ] {
            assert_eq!(choose(server), Some(spoken), "{server}");
        }
        for server in ["uA046D008", "", "8.0.x", "8..0"] {
            assert_eq!(choose(server), None, "{server}");
        }
    }

    #[test]
    fn a_listed_version_is_spoken_if_the_own_version_is_not_a_number() {
        for (listed, spoken) in [
            (vec!["uA046D008", "8.0.2.0", "8.0.0.0", "7.0.0.0", "6.7"], "8.0.0.0"),
            (vec!["6.9.1", "6.8.7", "6.7.3", "6.7", "6.5"], "6.7"),
            (vec!["nothing"], "4.1"),
            (vec![], "4.1"),
        ] {
            assert_eq!(choose_listed(&listed), spoken, "{listed:?}");
        }
    }
}
