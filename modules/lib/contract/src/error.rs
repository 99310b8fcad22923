//! Why a run failed, as a closed set of kinds that a pipeline can branch on.

use std::any::Any;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The kind of failure: a closed set, so that `jq -e '.error.kind == "timeout"'` stays true in later releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The arguments are not valid, or the server does not allow these values; nothing was changed.
    InvalidArguments,
    /// The server cannot be reached, or stopped answering.
    Connection,
    /// The server's certificate is not trusted, or it speaks no TLS that this program speaks.
    Tls,
    /// User name and password were refused.
    Authentication,
    /// The user lacks a privilege, or the licence forbids the operation.
    Permission,
    /// A named object or option does not exist.
    NotFound,
    /// Several objects have that name.
    Ambiguous,
    /// The server, the host or the object cannot do this at all.
    Unsupported,
    /// The object's present state does not allow it, or somebody else keeps changing it.
    Conflict,
    /// It did not happen in time.
    Timeout,
    /// The server answered with a fault; C(fault) has it whole.
    Fault,
    /// A file or a stream cannot be read or written.
    Io,
    /// A signal ended the run.
    Interrupted,
    /// A defect of this program.
    Internal,
}

/// The outcome of the write that a failure ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Write {
    /// It was rejected before it started: nothing changed.
    Refused,
    /// It ended, or there was none: what is there now tells what changed.
    #[default]
    Ended,
    /// A part of it took effect.
    Partly,
    /// Its end was not seen: it may have taken effect, or may still do so.
    Unknown {
        /// The other side said that it is at work on it.
        accepted: bool,
    },
}

/// Why a run, or one target of it, failed.
#[derive(Debug, Clone, Serialize, JsonSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// The kind of failure.
    pub kind: Kind,
    /// The failure, as one sentence that names the place.
    pub detail: String,
    /// The server's fault, its causes nested, under the official names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub fault: Option<Box<Value>>,
    /// The remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The outcome of the write that this failure ended.
    #[serde(skip)]
    pub(crate) write: Write,
}

impl Error {
    /// Creates a failure of `kind`, described in one sentence.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), fault: None, hint: None, write: Write::default() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the outcome of the write that it ended.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.write = write;
        self
    }

    /// Says that a part of the plan took effect, which the state need not show.
    #[must_use]
    pub fn partly(self) -> Self {
        self.write(Write::Partly)
    }

    /// Says that the end of the write was not seen. The run reports `changed: true`, unless it can read that the
    /// change was made, and then succeeds.
    #[must_use]
    pub fn unsettled(self) -> Self {
        self.write(Write::Unknown { accepted: false })
    }

    /// Adds the state that the failure left behind.
    pub(crate) fn aftermath(mut self, aftermath: &str) -> Self {
        self.detail = format!("{}; {aftermath}", self.detail);
        self
    }

    /// Adds the server's fault tree.
    #[must_use]
    pub fn fault(mut self, fault: Value) -> Self {
        self.fault = Some(Box::new(fault));
        self
    }

    /// A panic as a failure: its text, and where to report it.
    pub(crate) fn defect(panic: &(dyn Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no further text".to_owned());
        Self::new(Kind::Internal, format!("this program has a defect: {text}"))
            .hint("Please report it with the arguments used, secrets removed.")
    }

    /// Returns the text of `msg`: the failure and, where one is known, the remedy.
    pub fn message(&self) -> String {
        match &self.hint {
            Some(hint) => full_stop(&format!("{} {hint}", full_stop(&self.detail))),
            None => full_stop(&self.detail),
        }
    }
}

/// Returns the text as a sentence: in one line, and with a final stop, unless it ends in punctuation already.
pub(crate) fn full_stop(text: &str) -> String {
    let breaks = |char: char| char.is_control() || "\u{2028}\u{2029}".contains(char);
    let lines = text.split(breaks).map(str::trim_end).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join(" ");
    if text.ends_with(['.', '?', '!']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::full_stop;

    #[test]
    fn a_text_becomes_a_sentence_in_one_line() {
        for (text, sentence) in [
            ("It failed", "It failed."),
            ("Is it on?\n", "Is it on?"),
            ("It failed:\r\n\r\nsee\u{2028}the log\u{85}\0", "It failed: see the log."),
        ] {
            assert_eq!(full_stop(text), sentence);
        }
    }
}
