//! Faults that a test injects: which call they hit, when, and how the call fails.

use serde_json::Value as Json;

use crate::fault::Fault;
use crate::value::{Data, Ref, Value};

/// How a call goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// The server replies with the fault
    Fault(Fault),
    /// The server closes the connection without a reply
    Drop,
    /// Status 500 without SOAP
    Http500,
    /// Status 200 without XML
    Garbage,
    /// The server never replies
    Hang,
    /// The task that the call starts ends with the fault
    TaskError(Fault),
    /// The session expires before the call is handled
    ExpireSession,
    /// The server forgets the task that the call starts: at once (`early`), or when it ends
    TaskVanishes { early: bool },
    /// The server reports success and does nothing
    Silent,
    /// Status 307 with this location
    Redirect(String),
}

/// An injected fault and the calls that it hits.
#[derive(Clone, Debug)]
pub struct Injection {
    /// The method that it hits; `None` means every method.
    method: Option<String>,
    /// The object that it hits, by moid; `None` means every object.
    object: Option<String>,
    /// The number of calls that pass before it hits.
    after: u64,
    /// The number of calls that it hits; `None` means all that follow.
    times: Option<u64>,
    how: How,
}

impl Injection {
    /// Counts a call; returns how it goes wrong if the injection hits it.
    pub fn hit(&mut self, method: &str, object: &str) -> Option<How> {
        let matches = self.method.as_deref().is_none_or(|name| name == method)
            && self.object.as_deref().is_none_or(|moid| moid == object);
        if !matches || self.used_up() {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        self.times = self.times.map(|times| times - 1);
        Some(self.how.clone())
    }

    /// True if it hits no more calls.
    pub fn used_up(&self) -> bool {
        self.times == Some(0)
    }

    /// Reads the body of `POST /inject`.
    pub fn parse(json: &Json) -> Result<Self, String> {
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(ToOwned::to_owned);
        let fault = || -> Result<Fault, String> {
            let kind = text("fault").ok_or("fault is missing")?;
            let message = text("message").unwrap_or_else(|| format!("Injected: {kind}"));
            let mut fault = Fault::new(kind, message);
            for (name, value) in json.get("fields").and_then(Json::as_object).into_iter().flatten() {
                fault.data = fault.data.with(name.clone(), value_of(value)?);
            }
            Ok(fault)
        };
        let how = match text("how").as_deref().unwrap_or("fault") {
            "fault" => How::Fault(fault()?),
            "task-error" => How::TaskError(fault()?),
            "drop" => How::Drop,
            "http500" => How::Http500,
            "garbage" => How::Garbage,
            "hang" => How::Hang,
            "expire-session" => How::ExpireSession,
            "task-vanishes" => {
                How::TaskVanishes { early: json.get("early").and_then(Json::as_bool).unwrap_or_default() }
            }
            "silent" => How::Silent,
            "redirect" => How::Redirect(text("location").ok_or("location is missing")?),
            other => return Err(format!("how: {other} is not known")),
        };
        let number = |name: &str| json.get(name).and_then(Json::as_u64);
        Ok(Self {
            method: text("method"),
            object: text("object"),
            after: number("after").unwrap_or(0),
            times: match number("times") {
                Some(0) => None,
                None => Some(1),
                times => times,
            },
            how,
        })
    }
}

/// Converts JSON to a value of the API.
///
/// `{"type": T, "moid": M}` is a reference, `{"fault": T, "fields": {…}, "message": …}` a nested fault,
/// `{"long": 5}` an `xsd:long`, `{"_type": T, …}` any data object.
fn value_of(json: &Json) -> Result<Value, String> {
    Ok(match json {
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => {
            number.as_i64().and_then(|number| i32::try_from(number).ok()).ok_or("numbers are xsd:int here")?.into()
        }
        Json::String(text) => text.into(),
        Json::Array(items) => Value::List("anyType", items.iter().map(value_of).collect::<Result<_, _>>()?),
        Json::Object(map) => {
            let text = |name: &str| map.get(name).and_then(Json::as_str);
            if let (Some(kind), Some(moid)) = (text("type"), text("moid")) {
                Ref::new(kind, moid).into()
            } else if let Some(kind) = text("fault") {
                let mut fault = Fault::new(kind.to_owned(), text("message").unwrap_or(kind));
                for (name, value) in map.get("fields").and_then(Json::as_object).into_iter().flatten() {
                    fault.data = fault.data.with(name.clone(), value_of(value)?);
                }
                fault.localized()
            } else if let Some(number) = map.get("long").and_then(Json::as_i64) {
                number.into()
            } else {
                let mut data = Data::new(text("_type").ok_or("an object needs _type")?.to_owned());
                for (name, value) in map.iter().filter(|(name, _)| *name != "_type") {
                    data = data.with(name.clone(), value_of(value)?);
                }
                data.into()
            }
        }
        Json::Null => return Err("null has no type".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cannot_be_injected_is_refused() {
        for body in [
            json!({}),
            json!({"how": "magic"}),
            json!({"how": "task-error"}),
            json!({"how": "redirect"}),
            json!({"fault": "X", "fields": {"a": null}}),
        ] {
            assert!(Injection::parse(&body).is_err(), "{body}");
        }
    }
}
