//! Remedies for a finding: a sentence and, if a module does it, the arguments for that module.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The advice.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Remedy {
    /// The advice, as one sentence.
    pub text: String,
    /// The module that does it; null if none does.
    pub module: Option<String>,
    /// The arguments of that module, complete but for the connection; null if there is none, or if what it should act on is
    /// not known.
    pub args: Option<Map<String, Value>>,
}

impl Remedy {
    /// A piece of advice that no module carries out.
    pub fn advice(text: impl Into<String>) -> Self {
        Self { text: text.into(), module: None, args: None }
    }

    /// Names the module that helps, and its arguments if they are known.
    pub fn call(text: impl Into<String>, module: &str, args: Option<Map<String, Value>>) -> Self {
        Self { text: text.into(), module: Some(module.to_owned()), args }
    }
}

/// The hosts that a remedy is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemedyHosts {
    /// All of a cluster.
    Cluster {
        /// The cluster's name.
        name: String,
        /// Its datacenter, where one was needed to tell it from others.
        datacenter: Option<String>,
    },
    /// These, by name.
    Names(Vec<String>),
}

impl RemedyHosts {
    /// The arguments by which the modules that act on hosts know them.
    pub fn args(&self) -> Map<String, Value> {
        let mut args = Map::new();
        match self {
            Self::Cluster { name, datacenter } => {
                args.insert("cluster_name".to_owned(), json!(name));
                if let Some(datacenter) = datacenter {
                    args.insert("datacenter".to_owned(), json!(datacenter));
                }
            }
            Self::Names(names) => {
                args.insert("esxi_hostname".to_owned(), json!(names));
            }
        }
        args
    }
}

/// The arguments by which the modules that act on a virtual machine know it: its id, which is the same whatever its name.
pub fn remedy_vm(moid: &str) -> Map<String, Value> {
    Map::from_iter([("moid".to_owned(), json!(moid))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_as_the_modules_take_them() {
        let cluster = RemedyHosts::Cluster { name: "Cluster".into(), datacenter: Some("Lab".into()) };
        assert_eq!(Value::from(cluster.args()), json!({ "cluster_name": "Cluster", "datacenter": "Lab" }));
        let names = RemedyHosts::Names(vec!["esxi01".into()]);
        assert_eq!(Value::from(names.args()), json!({ "esxi_hostname": ["esxi01"] }));
    }
}
