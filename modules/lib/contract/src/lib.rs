//! The contract that every module of nested-vft keeps.
//!
//! A module is a type that implements [`Module`]: its arguments, what it observes, a pure `plan`, and how a change
//! is applied and verified. This crate does the rest: it reads one JSON object from a file or from standard input,
//! coerces and checks the arguments as Ansible's own modules do, runs the four steps (observe, plan, apply, verify)
//! for every target, and answers with exactly one JSON object on one line of ASCII, whatever happens.
//!
//! It knows nothing of vSphere and nothing of its callers: the crate `callers` has the command line.

mod answer;
mod arguments;
mod call;
mod close;
mod coerce;
mod doc;
mod encoding;
mod error;
mod field;
mod group;
mod input;
#[cfg(any(test, feature = "fuzzing"))]
pub mod invariants;
mod json;
mod module;
mod output;
mod pause;
mod progress;
mod run;
mod runtime;
mod scalar;
mod schema;
mod secret;
mod shared;
mod steps;
mod stream;
mod survey;
mod system;
#[cfg(test)]
mod testing;
mod trace;

pub use close::Close;
pub use error::{Error, Kind, Write};
pub use field::Rule;
pub use module::{About, Applied, Arguments, Blocker, Change, Context, Module, Observed, Outcome, Plan, read_back};
pub use pause::pauses;
pub use progress::{Level, Progress};
pub use run::{LAST_LOOK, Run};
pub use scalar::{Scalar, same_value};
pub use survey::Survey;
pub use trace::Tracer;

/// The interface for crates that serve callers.
pub mod service {
    pub use crate::answer::{Answer, warnings};
    pub use crate::call::{Call, Performed};
    pub use crate::doc::document as documentation;
    pub use crate::field::{Field, Type, fields};
    pub use crate::input::{Document, LIMIT, Wishes, flag, open, parse, too_long, unreadable};
    pub use crate::output::line;
    pub use crate::runtime::{Runtime, Signals};
    pub use crate::schema::{arguments, arguments_internal, result, unmarked};
    pub use crate::secret::Secrets;
    pub use crate::shared::Shared;
    pub use crate::steps::Ended;
    pub use crate::stream::Source;
    pub use crate::trace::{Trace, TraceFile};
}

/// Returns the one of `known` that `given` most probably means, if any is near enough.
///
/// ```
/// assert_eq!(contract::nearest("hostnam", ["hostname", "username"]), Some("hostname"));
/// assert_eq!(contract::nearest("powered_of", ["powered_on", "powered_off"]), Some("powered_off"));
/// assert_eq!(contract::nearest("colour", ["hostname", "username"]), None);
/// ```
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = given.to_lowercase();
    // A third of the letters may be wrong: `hostnam` is a slip, `colour` is another word.
    let allowed = |name: &str| name.len().max(given.len()).div_ceil(3);
    known
        .into_iter()
        // The distance is at least that; measuring it takes time and memory for each pair of letters.
        .filter(|name| name.chars().count().abs_diff(lower.chars().count()) <= allowed(name))
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= allowed(name))
        // On a tie, prefer the name with the same beginning: `powered_of` is `powered_off`.
        .min_by_key(|(distance, name)| {
            let alike = lower.chars().zip(name.to_lowercase().chars()).take_while(|(one, other)| one == other).count();
            (*distance, std::cmp::Reverse(alike))
        })
        .map(|(_, name)| name)
}
