//! The state that DSC hands over, as arguments; and the state that it gets back.

use contract::service::{Field, arguments_internal, fields};
use contract::{Error, Kind};
use serde_json::{Map, Value, json};

use crate::Resource;

/// DSC's own property for "the object exists": the opposite of `state: absent`.
pub const EXIST: &str = "_exist";
/// The property that only a test returns; it means nothing in a desired state.
pub const IN_DESIRED_STATE: &str = "_inDesiredState";
/// The key in which DSC hands over a secret.
pub const SECURE: &str = "secureString";

/// The desired state.
pub struct Desired {
    /// The arguments of the module.
    pub arguments: Map<String, Value>,
    /// True if the caller wants anything to be true.
    pub asks: bool,
    /// True if `state` was given.
    said_state: bool,
    /// True if `state` was given and `_exist` was not.
    only_state: bool,
}

/// True if `get` may omit this field: any of its choices will do, because nothing is made true. Options and services must be
/// named.
pub fn may_be_unsaid<R: Resource>(field: &Field) -> bool {
    R::PROPERTIES.contains(&field.name.as_str()) && !field.choices.is_empty()
}

/// True if the module's `state` may be `absent`, so that `_exist` means something.
pub fn handles_exist<R: Resource>(fields: &[Field]) -> bool {
    let absent = |field: &Field| field.name == "state" && field.choices.iter().any(|(name, _)| name == "absent");
    R::PROPERTIES.contains(&"state") && fields.iter().any(absent)
}

impl Desired {
    /// Reads what was `given`; `only_read` is true if nothing is to be made true or judged.
    pub fn of<R: Resource>(mut given: Map<String, Value>, only_read: bool) -> Result<Self, Error> {
        let fields = fields(&arguments_internal::<R::Module>());
        given.remove(IN_DESIRED_STATE);
        // For editors; DSC leaves it in.
        given.remove("$schema");
        for field in fields.iter().filter(|field| field.secret) {
            let secret = given.get(&field.name).and_then(|value| value.get(SECURE)).cloned();
            if let Some(secret) = secret {
                given.insert(field.name.clone(), secret);
            }
        }
        let said = given.get("state").cloned();
        let exist = if handles_exist::<R>(&fields) { given.remove(EXIST) } else { None };
        match (&exist, &said) {
            (None | Some(Value::Null), _) => {}
            (Some(Value::Bool(false)), None) => {
                given.insert("state".to_owned(), json!("absent"));
            }
            (Some(Value::Bool(exist)), said) if said.as_ref().is_none_or(|said| *exist == (said != "absent")) => {}
            (Some(Value::Bool(exist)), Some(said)) => {
                let detail =
                    format!("`{EXIST}: {exist}` and `state: {said}` contradict each other: set only one of them");
                return Err(Error::new(Kind::InvalidArguments, detail));
            }
            (Some(_), _) => {
                return Err(Error::new(Kind::InvalidArguments, format!("`{EXIST}`: expected true or false")));
            }
        }
        let asks = exist.is_some() || R::PROPERTIES.iter().any(|name| given.contains_key(*name));
        for field in fields.iter().filter(|field| only_read && field.required && may_be_unsaid::<R>(field)) {
            if let Some((any, _)) = field.choices.first() {
                given.entry(field.name.clone()).or_insert_with(|| json!(any));
            }
        }
        let said_state = said.is_some();
        Ok(Self { arguments: given, asks, said_state, only_state: said_state && exist.is_none() })
    }

    /// Returns the names of the desired properties that differ in the actual `state`, which is not as desired: at least one.
    /// `understood` holds all arguments as they were understood, with their defaults.
    pub fn unlike<R: Resource>(&self, understood: &Map<String, Value>, state: &Map<String, Value>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in R::PROPERTIES.iter().copied() {
            let wanted = understood.get(name).filter(|wanted| !wanted.is_null());
            let counts = self.arguments.contains_key(name) || state.contains_key(name);
            if counts && wanted.is_some() && state.get(name) != wanted {
                names.push(name.to_owned());
            }
        }
        let should_exist = understood.get("state").is_none_or(|state| state != "absent");
        if state.get(EXIST).is_some_and(|exists| *exists != json!(should_exist)) {
            // This says all that a state does that the caller did not give.
            names.retain(|name| self.said_state || name != "state");
            names.push(EXIST.to_owned());
        }
        // Such as while a secondary is starting.
        if names.is_empty() {
            names.push("state".to_owned());
        }
        names
    }

    /// True if `actual` has everything that a state must have.
    pub fn is_told_by<R: Resource>(actual: &Map<String, Value>) -> bool {
        let fields = fields(&arguments_internal::<R::Module>());
        let needed = |field: &&Field| field.required && R::PROPERTIES.contains(&field.name.as_str());
        fields.iter().filter(needed).all(|field| may_be_unsaid::<R>(field) || actual.contains_key(&field.name))
    }

    /// Returns the actual state: what was given and is no secret, with the `actual` values instead of the wanted ones.
    /// `understood` holds all arguments as they were understood.
    pub fn echo<R: Resource>(
        &self,
        mut understood: Map<String, Value>,
        actual: Map<String, Value>,
    ) -> Map<String, Value> {
        let fields = fields(&arguments_internal::<R::Module>());
        // If nothing can differ, as in a cluster without hosts, a required property is returned as it was given.
        let repeated = |field: &Field| {
            let wanted = R::PROPERTIES.contains(&field.name.as_str());
            !field.secret && (!wanted || field.required && !may_be_unsaid::<R>(field))
        };
        understood.retain(|name, _| {
            self.arguments.contains_key(name) && fields.iter().any(|field| field.name == *name && repeated(field))
        });
        let exists = actual.get("state").map(|state| state != "absent");
        understood.extend(actual);
        // A caller that gives `state` alone gets `state` alone. DSC takes an object without `_exist` for one that exists.
        if let Some(exists) = exists.filter(|_| handles_exist::<R>(&fields) && !self.only_state) {
            understood.insert(EXIST.to_owned(), json!(exists));
        }
        understood
    }
}
