//! The signatures: what is looked for, what it means, and what to do about it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::event::TELLING;
use crate::release::Release;
use crate::status::Status;

mod pattern;

use pattern::{Finder, Pattern};

/// The severity of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Fault Tolerance or a migration failed because of it.
    Error,
    /// It can be so with everything working.
    Warning,
    /// It is no failure, but it helps to read the log.
    Info,
}

/// The basis of a claim about a signature or a remedy.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The source says so.
    #[default]
    Documented,
    /// Experience says so, and no document does.
    Knowledge,
}

/// The object that the arguments of a remedy must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The hosts of the virtual machine and of its secondary: the cluster's.
    Hosts,
    /// The cluster.
    Cluster,
    /// The virtual machine.
    Vm,
}

/// A remedy from the catalogue, without the names of objects at the site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// The advice, in a sentence.
    pub text: String,
    /// The basis of this advice, independent of the signature's own basis.
    pub basis: Basis,
    /// Where it is from.
    pub source: String,
    /// The first release of ESXi that it is for.
    pub since: Option<Release>,
    /// The first release of ESXi that it is no longer for.
    pub before: Option<Release>,
    /// The module that does it.
    pub module: Option<String>,
    /// The object that the module needs in addition to `args`.
    pub target: Option<Target>,
    /// The arguments that do not depend on the place.
    pub args: Option<Map<String, Value>>,
}

impl Remedy {
    /// True if the remedy applies to this release, or if the release is unknown.
    pub fn suits(&self, release: Option<&Release>) -> bool {
        release.is_none_or(|release| {
            self.since.as_ref().is_none_or(|since| release >= since)
                && self.before.as_ref().is_none_or(|before| release < before)
        })
    }
}

/// A failure that logs show.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Its name, for programs.
    pub id: String,
    /// The event, in a few words.
    pub title: String,
    /// The severity.
    pub severity: Severity,
    /// Why it happens, in a sentence.
    pub cause: String,
    /// Texts to find in a line, regardless of case. An ellipsis matches any text.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// VMkernel status codes that a line bears, in hexadecimal; logs and vCenter Server may write them in any notation.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Events that show it: types or values of `eventTypeId`, each with `:` and a reason where only that one does.
    #[serde(default)]
    pub events: Vec<String>,
    /// The logs that show it, where it has been seen.
    pub logs: Vec<String>,
    /// The number of preceding lines that explain the event.
    #[serde(default)]
    pub context: usize,
    /// It is what comes after another failure of the same migration, which says more.
    #[serde(default)]
    pub follows: bool,
    /// The basis of this entry.
    #[serde(default)]
    pub basis: Basis,
    /// Where it is from.
    pub source: String,
    /// The signature of the likely cause, whose remedies come first.
    pub remedies_of: Option<String>,
    /// The remedies, the most likely to help first.
    pub remedies: Vec<Remedy>,
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is not a list of signatures.
    #[error("the catalogue cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A signature has nothing that could be found, or a code that is none.
    #[error("signature `{0}` has an empty pattern, a wrong code, or neither of them and no event")]
    Pattern(String),
    /// A signature refers to another one that is not there.
    #[error("signature `{0}` has the remedies of another one that is not in the catalogue")]
    Remedies(String),
}

/// All signatures, the most telling first, ready to be looked for.
#[derive(Debug)]
pub struct Catalogue {
    signatures: Vec<Signature>,
    patterns: Vec<Pattern>,
    finder: Finder,
}

impl Catalogue {
    /// Returns the known signatures.
    pub fn known() -> Result<Self, CatalogueError> {
        Self::parse(include_str!("../signatures.json"))
    }

    /// Reads a list of signatures from JSON; earlier ones win if a line matches several.
    pub fn parse(json: &str) -> Result<Self, CatalogueError> {
        let signatures: Vec<Signature> = with_remedies(&serde_json::from_str::<Vec<Signature>>(json)?)?;
        let mut patterns = Vec::new();
        for (index, signature) in signatures.iter().enumerate() {
            let wrong = || CatalogueError::Pattern(signature.id.clone());
            let before = patterns.len();
            for text in &signature.patterns {
                patterns.push(Pattern::text(index, text).ok_or_else(wrong)?);
            }
            for code in &signature.codes {
                let status = Status::parse(code).ok_or_else(wrong)?;
                patterns.push(Pattern::word(index, status.hex().trim_start_matches("0x")));
                patterns.push(Pattern::word(index, &status.decimal().to_string()));
            }
            if patterns.len() == before && signature.events.is_empty() {
                return Err(wrong());
            }
        }
        let finder = Finder::new(&patterns);
        Ok(Self { signatures, patterns, finder })
    }

    /// All signatures, the most telling first.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// All events that may show a failure, for a query: their types, or values of `eventTypeId`.
    pub fn event_kinds(&self) -> BTreeSet<&str> {
        let shown = self.signatures.iter().flat_map(|signature| &signature.events);
        shown.map(|event| event.split(':').next().unwrap_or_default()).chain(TELLING).collect()
    }

    /// The most telling signature that an event shows by its kind and reason.
    pub(crate) fn shown_by(&self, kind: &str, reason: Option<&str>) -> Option<usize> {
        let shows = |event: &String| match event.split_once(':') {
            Some((own, only)) => own == kind && Some(only) == reason,
            None => event == kind,
        };
        self.signatures.iter().position(|signature| signature.events.iter().any(shows))
    }

    /// The longest text that [`candidate`](Self::candidate) looks for, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.finder.longest()
    }

    /// Where, from `at` on, a line may bear a signature: the span of the text that it needs. `lower` is in small letters.
    pub(crate) fn candidate(&self, lower: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
        self.finder.find(lower, at)
    }

    /// The most telling signature that a line in small letters bears.
    pub(crate) fn borne_by(&self, lower: &[u8]) -> Option<usize> {
        self.patterns.iter().find(|pattern| pattern.matches(lower)).map(Pattern::signature)
    }
}

/// Puts the remedies of the likely causes first.
fn with_remedies(signatures: &[Signature]) -> Result<Vec<Signature>, CatalogueError> {
    let mut complete = signatures.to_vec();
    for signature in &mut complete {
        let Some(likely) = &signature.remedies_of else { continue };
        let cause = signatures.iter().find(|other| other.id == *likely);
        let cause = cause.ok_or_else(|| CatalogueError::Remedies(signature.id.clone()))?;
        signature.remedies.splice(0..0, cause.remedies.iter().cloned());
    }
    Ok(complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(patterns: &str, codes: &str) -> Result<Catalogue, CatalogueError> {
        Catalogue::parse(&format!(
            r#"[{{"id": "a", "title": "A", "severity": "error", "cause": "c", "patterns": {patterns}, "codes": {codes},
                "logs": [], "source": "s", "remedies": []}}]"#
        ))
    }

    #[test]
    fn a_line_bears_a_signature_whatever_its_case_and_whatever_stands_for_the_ellipsis() {
        let catalogue = catalogue(r#"["Insufficient … bandwidth"]"#, r#"["0xbad003f"]"#).unwrap();
        let cases = [
            ("insufficient logging network bandwidth", true),
            ("insufficient bandwidth", false),
            ("bandwidth is insufficient for it", false),
            ("(0xbad003f).", true),
            ("error bad003f. limit exceeded", true),
            ("00xbad003f", false),
            ("xbad003f", false),
            ("status 195887167", true),
            ("0xbad003f0", false),
            ("1195887167", false),
            ("195887167, 2", true),
            ("", false),
        ];
        for (line, expected) in cases {
            assert_eq!(catalogue.borne_by(line.as_bytes()).is_some(), expected, "{line}");
            // Nothing that a line bears is missed by the search that comes first.
            assert!(!expected || catalogue.candidate(line.as_bytes(), 0).is_some(), "{line}");
        }
    }

    #[test]
    fn a_catalogue_that_could_find_nothing_is_refused() {
        for (patterns, codes) in [("[]", "[]"), (r#"[""]"#, "[]"), (r#"["…"]"#, "[]"), (r#"["a"]"#, r#"["0x12"]"#)] {
            assert!(matches!(catalogue(patterns, codes), Err(CatalogueError::Pattern(_))), "{patterns} {codes}");
        }
        assert!(matches!(Catalogue::parse("{}"), Err(CatalogueError::Json(_))));
    }

    #[test]
    fn an_event_shows_a_signature_by_its_kind_and_its_reason() {
        let signature = |id: &str, events: &str, more: &str| {
            format!(
                r#"{{"id": "{id}", "title": "t", "severity": "error", "cause": "c", "events": {events}, "logs": [],
                    "source": "s", "remedies": [{{"text": "{id}", "basis": "knowledge", "source": "s"}}]{more}}}"#
            )
        };
        let first = signature("first", r#"["Failed:login", "a.b"]"#, "");
        let second = signature("second", r#"["Failed"]"#, r#", "remedies_of": "first""#);
        let catalogue = Catalogue::parse(&format!("[{first}, {second}]")).unwrap();
        let cases = [
            ("Failed", Some("login"), Some(0)),
            ("Failed", Some("other"), Some(1)),
            ("Failed", None, Some(1)),
            ("a.b", None, Some(0)),
            ("a", None, None),
        ];
        for (kind, reason, expected) in cases {
            assert_eq!(catalogue.shown_by(kind, reason), expected, "{kind} {reason:?}");
        }
        let kinds = catalogue.event_kinds();
        assert!(["Failed", "a.b", "VmMessageErrorEvent"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
        let remedies: Vec<&str> = catalogue.signatures()[1].remedies.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(remedies, ["first", "second"]);
        assert!(matches!(Catalogue::parse(&format!("[{second}]")), Err(CatalogueError::Remedies(_))));
    }

    #[test]
    fn a_remedy_that_does_not_say_what_it_rests_on_is_refused() {
        for remedy in [r#"{"text": "t"}"#, r#"{"text": "t", "basis": "knowledge"}"#, r#"{"text": "t", "source": "s"}"#]
        {
            assert!(serde_json::from_str::<Remedy>(remedy).is_err(), "{remedy}");
        }
    }

    #[test]
    fn a_remedy_suits_the_releases_it_is_for() {
        let remedy: Remedy = serde_json::from_str(
            r#"{"text": "t", "basis": "knowledge", "source": "s", "since": "5.0", "before": "7.0 U2"}"#,
        )
        .unwrap();
        let suits = |text: &str| remedy.suits(Some(&text.parse().unwrap()));
        assert!(suits("5.0") && suits("7.0.1") && remedy.suits(None));
        assert!(!suits("4.1") && !suits("7.0.2") && !suits("8.0"));
    }
}
