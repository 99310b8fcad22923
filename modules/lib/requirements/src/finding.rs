//! The result of judging one requirement.

use schemars::JsonSchema;
use serde::Serialize;
use vsphere_module::Remedy;

/// Whether a requirement is met. Ordered from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is.
    Met,
    /// The facts do not say.
    Unknown,
    /// It is not.
    Unmet,
}

/// How one requirement was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The state that was found.
    pub observed: String,
    /// Whether that meets the requirement.
    pub status: Status,
    /// Why it does not, or why nobody can say; `None` if it does.
    pub why: Option<String>,
    /// The remedy.
    pub remedy: Option<Remedy>,
}

impl Finding {
    /// The requirement is met.
    pub fn met(observed: impl Into<String>) -> Self {
        Self { observed: observed.into(), status: Status::Met, why: None, remedy: None }
    }

    /// The requirement is not met.
    pub fn unmet(observed: impl Into<String>, why: impl Into<String>) -> Self {
        Self { observed: observed.into(), status: Status::Unmet, why: Some(why.into()), remedy: None }
    }

    /// The facts do not say whether the requirement is met.
    pub fn unknown(observed: impl Into<String>, why: impl Into<String>) -> Self {
        Self { observed: observed.into(), status: Status::Unknown, why: Some(why.into()), remedy: None }
    }

    /// Adds a remedy.
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// Adds a remedy that a person has to carry out.
    pub fn by_hand(self, text: impl Into<String>) -> Self {
        self.remedy(Remedy::advice(text))
    }
}

/// Combines the findings about several things of one kind: keeps the worst ones. `fine` is what to report if all are met.
pub fn all(fine: &str, each: impl IntoIterator<Item = Finding>) -> Finding {
    let mut findings: Vec<Finding> = each.into_iter().filter(|finding| finding.status != Status::Met).collect();
    let Some(worst) = findings.iter().map(|finding| finding.status).max() else { return Finding::met(fine) };
    findings.retain(|finding| finding.status == worst);
    Finding {
        observed: join(findings.iter().map(|finding| finding.observed.as_str())),
        status: worst,
        why: Some(join(findings.iter().filter_map(|finding| finding.why.as_deref()))),
        remedy: findings.iter().find_map(|finding| finding.remedy.clone()),
    }
}

/// Joins the texts, each once.
pub fn join<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut once: Vec<&str> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once.join("; ")
}
