//! Advanced options: the `OptionManager` of a host, or of vCenter Server itself.

use crate::session::error::Error;
use crate::session::state::Session;
use crate::session::write::WriteError;
use crate::soap::element::Element;
use crate::soap::fault::Fault;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

/// A value with its XML Schema type. Hosts accept a value only in the type that the option has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedValue {
    /// `long`, `int`, `string`, `boolean`, `float`, `double`, …
    pub kind: String,
    /// The value as text.
    pub text: String,
}

/// An option and its value (`OptionValue`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionValue {
    /// The option's name, e.g. `Migrate.VMotionStreamDisable`.
    pub key: String,
    /// Its value.
    pub value: TypedValue,
}

/// The definition of an option (`OptionDef`).
#[derive(Debug, Clone, PartialEq)]
pub struct OptionDef {
    /// The option's name.
    pub key: String,
    /// True if it cannot be changed.
    pub read_only: bool,
    /// Its type, range and default.
    pub kind: OptionKind,
}

/// An option's type, range and default (`OptionType`).
#[derive(Debug, Clone, PartialEq)]
pub enum OptionKind {
    /// `IntOption`: 32 bits.
    Int {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Default value.
        default: i64,
    },
    /// `LongOption`: 64 bits; the numbers of the vmkernel are of this type.
    Long {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Default value.
        default: i64,
    },
    /// `FloatOption`.
    Float {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Default value.
        default: f64,
    },
    /// `BoolOption`.
    Bool {
        /// Default value.
        default: bool,
    },
    /// `StringOption`.
    Text {
        /// Default value.
        default: String,
        /// The characters that a value may contain; `None` for any.
        valid_characters: Option<String>,
    },
    /// `ChoiceOption`.
    Choice {
        /// The possible values.
        choices: Vec<String>,
        /// The index of the default.
        default: Option<usize>,
    },
    /// Another type, by its name; empty if the server names none.
    Other(String),
}

impl OptionDef {
    pub(crate) fn parse(element: &Element) -> Option<Self> {
        let kind = element.child("optionType");
        Some(Self {
            key: element.child("key")?.text().to_owned(),
            read_only: kind.and_then(|kind| kind.child("valueIsReadonly")?.flag()).unwrap_or(false),
            kind: kind.map_or_else(|| OptionKind::Other(String::new()), OptionKind::parse),
        })
    }
}

impl OptionKind {
    fn parse(element: &Element) -> Self {
        let name = element.kind().unwrap_or_default();
        let int = |name, or| element.child(name).and_then(Element::int).unwrap_or(or);
        let float = |name, or| {
            let text = element.child(name).map_or("", Element::text);
            text.trim().parse().unwrap_or(or)
        };
        match name {
            "IntOption" => Self::Int {
                min: int("min", i32::MIN.into()),
                max: int("max", i32::MAX.into()),
                default: int("defaultValue", 0),
            },
            "LongOption" => {
                Self::Long { min: int("min", i64::MIN), max: int("max", i64::MAX), default: int("defaultValue", 0) }
            }
            "FloatOption" => Self::Float {
                min: float("min", f64::MIN),
                max: float("max", f64::MAX),
                default: float("defaultValue", 0.0),
            },
            "BoolOption" => {
                Self::Bool { default: element.child("defaultValue").and_then(Element::flag).unwrap_or(false) }
            }
            "StringOption" => Self::Text {
                default: element.child("defaultValue").map_or("", Element::text).to_owned(),
                valid_characters: element.child("validCharacters").map(|characters| characters.text().to_owned()),
            },
            "ChoiceOption" => Self::Choice {
                choices: element
                    .children("choiceInfo")
                    .filter_map(|info| Some(info.child("key")?.text().to_owned()))
                    .collect(),
                default: element
                    .child("defaultIndex")
                    .and_then(Element::int)
                    .and_then(|index| usize::try_from(index).ok()),
            },
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Session {
    /// Reads the option's value (`OptionManager.QueryOptions`); `None` if there is no such option.
    pub async fn query_option(&self, manager: &Moref, key: &str) -> Result<Option<OptionValue>, Error> {
        let mut request = Request::new("QueryOptions", manager);
        request.text("name", key);
        match self.query(&request).await {
            Ok(response) => Ok(exactly(&response, key)),
            Err(Error::Fault(fault)) if fault.is("InvalidName") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets options (`OptionManager.UpdateOptions`). The server sets one after the other: if one is refused (`InvalidName`,
    /// `InvalidArgument`), those before it are set.
    pub async fn update_options(&self, manager: &Moref, values: &[OptionValue]) -> Result<(), WriteError> {
        self.change(&update(manager, values)).await.map(drop)
    }

    /// Reads the definitions of options (`OptionManager.supportedOption`). Some options that can be set may be missing.
    ///
    /// # Errors
    /// The fault that the server reports if the user may not read the manager.
    pub async fn option_definitions(&self, manager: &Moref) -> Result<Vec<OptionDef>, Error> {
        let path = "supportedOption";
        let found = self.read(std::slice::from_ref(manager), &[("OptionManager", &[path])], &[]).await?;
        let Some(object) = found.first() else {
            return Ok(Vec::new());
        };
        if let Some(fault) = object.missing(path) {
            return Err(Error::Fault(Fault::clone(fault)));
        }
        let list = object.get(path).map_or(&[][..], Element::all);
        Ok(list.iter().filter_map(OptionDef::parse).collect())
    }
}

/// Returns the option from a response that may contain all options whose names start with `key`.
fn exactly(response: &Element, key: &str) -> Option<OptionValue> {
    let mut options = response.children("returnval");
    let option = options.find(|option| option.child("key").is_some_and(|it| it.text() == key))?;
    let value = option.child("value")?;
    Some(OptionValue {
        key: key.to_owned(),
        value: TypedValue { kind: value.kind().unwrap_or("string").to_owned(), text: value.text().to_owned() },
    })
}

fn update(manager: &Moref, values: &[OptionValue]) -> Request {
    let mut request = Request::new("UpdateOptions", manager);
    for option in values {
        request.nest("changedValue", |changed| {
            changed.text("key", &option.key);
            changed.typed("value", &option.value.kind, &option.value.text);
        });
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_have_type_range_and_default() {
        let definition = |kind: &str, inner: &str| {
            let xml = format!(
                r#"<OptionDef xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><label>L</label><summary>S</summary>
                <key>A.B</key><optionType xsi:type="{kind}">{inner}</optionType></OptionDef>"#
            );
            OptionDef::parse(&Element::parse(&xml).unwrap()).unwrap()
        };
        let range = "<min>0</min><max>1</max><defaultValue>0</defaultValue>";
        let choices = "<choiceInfo><label>x</label><key>a</key></choiceInfo><choiceInfo><key>b</key></choiceInfo>";
        for (kind, inner, expected) in [
            ("IntOption", range, OptionKind::Int { min: 0, max: 1, default: 0 }),
            ("LongOption", range, OptionKind::Long { min: 0, max: 1, default: 0 }),
            ("FloatOption", range, OptionKind::Float { min: 0.0, max: 1.0, default: 0.0 }),
            (
                "BoolOption",
                "<supported>true</supported><defaultValue>true</defaultValue>",
                OptionKind::Bool { default: true },
            ),
            (
                "StringOption",
                "<defaultValue>x</defaultValue><validCharacters>*</validCharacters>",
                OptionKind::Text { default: "x".to_owned(), valid_characters: Some("*".to_owned()) },
            ),
            (
                "ChoiceOption",
                &format!("{choices}<defaultIndex>1</defaultIndex>"),
                OptionKind::Choice { choices: vec!["a".to_owned(), "b".to_owned()], default: Some(1) },
            ),
            ("NewOption", range, OptionKind::Other("NewOption".to_owned())),
        ] {
            assert_eq!(definition(kind, inner).kind, expected, "{kind}");
        }
        assert!(definition("LongOption", "<valueIsReadonly>true</valueIsReadonly>").read_only);
    }

    #[test]
    fn only_the_exact_option_is_taken_from_the_response() {
        let response = Element::parse(
            r#"<r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
            <returnval><key>Migrate.VMotionStreamHelpers</key><value xsi:type="xsd:long">2</value></returnval>
            <returnval><key>Migrate.VMotionStreamDisable</key><value xsi:type="xsd:long">0</value></returnval></r>"#,
        )
        .unwrap();
        let option = exactly(&response, "Migrate.VMotionStreamDisable").unwrap();
        assert_eq!((option.value.kind.as_str(), option.value.text.as_str()), ("long", "0"));
        assert_eq!(exactly(&response, "Migrate.VMotionStream"), None);
    }
}
