//! Hosts grouped by what they report.

use std::collections::BTreeMap;

/// Most groups to describe, and most names to list of one, because a cluster may have thousands of hosts.
const MOST: usize = 3;

/// Names of hosts by what the hosts report.
#[derive(Default)]
pub struct Groups<'a>(BTreeMap<String, Vec<&'a str>>);

impl<'a> Groups<'a> {
    /// Adds a host.
    pub fn add(&mut self, reported: String, host: &'a str) {
        self.0.entry(reported).or_default().push(host);
    }

    /// Returns the number of groups.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is no group.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what all hosts report, if they agree.
    pub fn only(&self) -> String {
        self.0.keys().next().cloned().unwrap_or_default()
    }

    /// Describes the first groups in one line, such as `esxi01, esxi02: 1500; esxi03: 9000`.
    pub fn describe(&self) -> String {
        let mut groups: Vec<String> = self
            .0
            .iter()
            .take(MOST)
            .map(|(reported, hosts)| {
                let names = hosts[..hosts.len().min(MOST)].join(", ");
                let more = if hosts.len() > MOST { format!(" and {} more", hosts.len() - MOST) } else { String::new() };
                format!("{names}{more}: {reported}")
            })
            .collect();
        if self.len() > MOST {
            groups.push(format!("and {} more", self.len() - MOST));
        }
        groups.join("; ")
    }
}
