//! One property, as far as it could be read.

use crate::check::Verdict;

/// A property as far as it could be read. Unset and unreadable are kept apart: for some properties unset is an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact<T> {
    /// The server told it.
    Known(T),
    /// The server has no value for it, or is of a version that does not know it.
    Unset,
    /// It could not be read, and why.
    Hidden(String),
}

impl<T> Fact<T> {
    pub fn known(&self) -> Option<&T> {
        if let Self::Known(value) = self { Some(value) } else { None }
    }

    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(with(value)),
            Self::Unset => Fact::Unset,
            Self::Hidden(why) => Fact::Hidden(why),
        }
    }

    /// The value, where it has the form that is expected of it.
    pub fn read<U>(self, with: impl FnOnce(T) -> Option<U>) -> Fact<U> {
        match self.map(with) {
            Fact::Known(Some(value)) => Fact::Known(value),
            Fact::Known(None) | Fact::Unset => Fact::Unset,
            Fact::Hidden(why) => Fact::Hidden(why),
        }
    }

    /// Judges the value of `property`; one that is not there can neither be met nor unmet.
    pub fn judge(&self, property: &str, judge: impl FnOnce(&T) -> Verdict) -> Verdict {
        let unset = || Verdict::unknown("not told", format!("the server does not tell {property}"));
        self.judge_or(property, unset, judge)
    }

    /// Judges the value of `property`, where it means something that there is none.
    pub fn judge_or(
        &self,
        property: &str,
        unset: impl FnOnce() -> Verdict,
        judge: impl FnOnce(&T) -> Verdict,
    ) -> Verdict {
        match self {
            Self::Known(value) => judge(value),
            Self::Unset => unset(),
            Self::Hidden(why) => Verdict::unknown("not readable", format!("{property} cannot be read: {why}")),
        }
    }
}
