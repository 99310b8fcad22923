//! One property, as far as it could be read.

use crate::finding::Finding;

/// A property, as far as it could be read. An unset property differs from an unreadable one: for some properties "unset" is
/// an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact<T> {
    /// The server reported this value.
    Known(T),
    /// The server has no value, or its version does not have the property.
    Unset,
    /// The property could not be read, for this reason.
    Hidden(String),
}

impl<T> Fact<T> {
    /// Returns the value, if it is known.
    pub fn known(&self) -> Option<&T> {
        if let Self::Known(value) = self { Some(value) } else { None }
    }

    /// Converts the value.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(with(value)),
            Self::Unset => Fact::Unset,
            Self::Hidden(why) => Fact::Hidden(why),
        }
    }

    /// Converts the value; a value without the expected form counts as unset.
    pub fn read<U>(self, with: impl FnOnce(T) -> Option<U>) -> Fact<U> {
        match self.map(with) {
            Fact::Known(Some(value)) => Fact::Known(value),
            Fact::Known(None) | Fact::Unset => Fact::Unset,
            Fact::Hidden(why) => Fact::Hidden(why),
        }
    }

    /// Judges the value of `property`. The requirement is unknown without a value.
    pub fn judge(&self, property: &str, judge: impl FnOnce(&T) -> Finding) -> Finding {
        let unset = || Finding::unknown("not reported", format!("the server does not report {property}"));
        self.judge_or(property, unset, judge)
    }

    /// Judges the value of `property`, where "unset" is an answer too.
    pub fn judge_or(
        &self,
        property: &str,
        unset: impl FnOnce() -> Finding,
        judge: impl FnOnce(&T) -> Finding,
    ) -> Finding {
        match self {
            Self::Known(value) => judge(value),
            Self::Unset => unset(),
            Self::Hidden(why) => Finding::unknown("not readable", format!("{property} cannot be read: {why}")),
        }
    }
}
