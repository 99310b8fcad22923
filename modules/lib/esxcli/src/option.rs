//! An advanced option, as one of the tools shows it.

use std::fmt;

/// The tool that reported an option, and that changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `esxcli system settings advanced`: knows type, default and range.
    Esxcli,
    /// `esxcfg-advcfg`: knows the value only. The one tool of ESX and ESXi 4.x.
    EsxcfgAdvcfg,
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Esxcli => "esxcli",
            Self::EsxcfgAdvcfg => "esxcfg-advcfg",
        })
    }
}

/// The value of an advanced option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The value of an option of type `integer`; its unit is the option's own.
    Integer(i64),
    /// The value of an option of type `string`; may be empty.
    Text(String),
}

impl fmt::Display for Value {
    /// The value as the tools take it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

/// An advanced option of the host at the moment of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvancedOption {
    /// Its path as the shell writes it, e.g. `/Migrate/VMotionStreamDisable`.
    pub path: String,
    /// The tool that reported the option.
    pub tool: Tool,
    /// The current value. `esxcfg-advcfg` does not tell types: there it is an integer if it is written as one.
    pub value: Value,
    /// The default; `None` from `esxcfg-advcfg`.
    pub default: Option<Value>,
    /// Least and greatest value of an integer; `None` for a string, and from `esxcfg-advcfg`.
    pub range: Option<(i64, i64)>,
    /// The characters allowed in a string, in esxcli's own notation; `None` if esxcli names nothing.
    pub valid_characters: Option<String>,
    /// The option's description, in the host's words; `None` if esxcli has none.
    pub description: Option<String>,
}
