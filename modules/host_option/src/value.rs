//! Values of options: as they are wanted, as the host wants them, and as they are shown.

use contract::Scalar;
use vsphere::{OptionDef, OptionKind};

/// `wanted` as the type that the host's own answer `current` has, within what `definition` allows.
///
/// The error says what the option takes.
pub fn convert(
    wanted: &Scalar,
    current: &vsphere::TypedValue,
    definition: Option<&OptionDef>,
) -> Result<vsphere::TypedValue, String> {
    let kind = definition.map(|definition| &definition.kind);
    let of_kind = |text: String| vsphere::TypedValue { kind: current.kind.clone(), text };
    match current.kind.as_str() {
        "int" | "long" | "short" | "byte" => {
            let takes = match kind {
                Some(OptionKind::Int { min, max, .. } | OptionKind::Long { min, max, .. }) => {
                    format!("an integer from {min} to {max}")
                }
                _ => "an integer".to_owned(),
            };
            let number = integer(wanted).ok_or_else(|| format!("takes {takes}, not {}", quoted(wanted)))?;
            match kind {
                Some(OptionKind::Int { min, max, .. } | OptionKind::Long { min, max, .. })
                    if !(*min..=*max).contains(&number) =>
                {
                    Err(format!("takes {takes}, not {number}"))
                }
                _ => Ok(of_kind(number.to_string())),
            }
        }
        "boolean" => match boolean(wanted) {
            Some(value) => Ok(of_kind(value.to_string())),
            None => Err(format!("takes true or false, not {}", quoted(wanted))),
        },
        "float" | "double" => {
            let takes = match kind {
                Some(OptionKind::Float { min, max, .. }) => format!("a number from {min} to {max}"),
                _ => "a number".to_owned(),
            };
            let number = float(wanted).ok_or_else(|| format!("takes {takes}, not {}", quoted(wanted)))?;
            match kind {
                Some(OptionKind::Float { min, max, .. }) if !(*min..=*max).contains(&number) => {
                    Err(format!("takes {takes}, not {number}"))
                }
                _ => Ok(of_kind(number.to_string())),
            }
        }
        _ => {
            let text = match wanted {
                Scalar::Bool(_) => {
                    return Err(format!(
                        "takes text, not the boolean {wanted}: write it in quotes, as the host spells it"
                    ));
                }
                Scalar::Null => String::new(),
                other => other.to_string(),
            };
            match kind {
                Some(OptionKind::Choice { choices, .. }) if !choices.is_empty() && !choices.contains(&text) => {
                    Err(format!("takes one of {}, not {}", choices.join(", "), quoted(wanted)))
                }
                _ => Ok(of_kind(text)),
            }
        }
    }
}

/// True if two values of one option are the same.
pub fn same(one: &vsphere::TypedValue, other: &vsphere::TypedValue) -> bool {
    let boolean = |scalar: &vsphere::TypedValue| boolean(&Scalar::Text(scalar.text.clone()));
    match one.kind.as_str() {
        "float" | "double" => one.text.parse::<f64>().ok() == other.text.parse::<f64>().ok(),
        "boolean" => boolean(one) == boolean(other),
        "int" | "long" | "short" | "byte" => {
            one.text.trim().parse::<i64>().ok() == other.text.trim().parse::<i64>().ok()
        }
        _ => one.text == other.text,
    }
}

/// The default that the host's definition names.
pub fn default(definition: &OptionDef) -> Option<vsphere::TypedValue> {
    let (kind, text) = match &definition.kind {
        OptionKind::Int { default, .. } => ("int", default.to_string()),
        OptionKind::Long { default, .. } => ("long", default.to_string()),
        OptionKind::Float { default, .. } => ("float", default.to_string()),
        OptionKind::Bool { default } => ("boolean", default.to_string()),
        OptionKind::Text { default, .. } => ("string", default.clone()),
        OptionKind::Choice { choices, default } => ("string", choices.get((*default)?)?.clone()),
        OptionKind::Other(_) => return None,
    };
    Some(vsphere::TypedValue { kind: kind.to_owned(), text })
}

/// The value with its own type, for results.
pub fn shown(value: &vsphere::TypedValue) -> Scalar {
    let typed = match value.kind.as_str() {
        "int" | "long" | "short" | "byte" => value.text.trim().parse().ok().map(Scalar::Int),
        "boolean" => boolean(&Scalar::Text(value.text.clone())).map(Scalar::Bool),
        "float" | "double" => value.text.parse().ok().filter(|float: &f64| float.is_finite()).map(Scalar::Float),
        _ => None,
    };
    typed.unwrap_or_else(|| Scalar::Text(value.text.clone()))
}

/// Returns the integer. A boolean is not a number: `true` for a number is a mistake in the playbook.
#[allow(clippy::cast_possible_truncation)] // only whole floats within the exact range get there
fn integer(wanted: &Scalar) -> Option<i64> {
    match wanted {
        Scalar::Int(number) => Some(*number),
        Scalar::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(*number as i64),
        Scalar::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss)] // options with fractions are small
fn float(wanted: &Scalar) -> Option<f64> {
    match wanted {
        Scalar::Int(number) => Some(*number as f64),
        Scalar::Float(number) => Some(*number),
        Scalar::Text(text) => text.trim().parse().ok().filter(|float: &f64| float.is_finite()),
        _ => None,
    }
}

fn boolean(wanted: &Scalar) -> Option<bool> {
    match wanted {
        Scalar::Bool(value) => Some(*value),
        Scalar::Int(1) => Some(true),
        Scalar::Int(0) => Some(false),
        Scalar::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn quoted(wanted: &Scalar) -> String {
    match wanted {
        Scalar::Text(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}
