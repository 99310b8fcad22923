//! The state that DSC hands over, as arguments; and the state that it gets back.

use contract::service::{Field, arguments_internal, fields};
use contract::{Error, Kind, Module};
use serde_json::{Map, Value, json};

/// Whether the thing is there: DSC's own word for `state: absent` and its opposite.
pub const EXIST: &str = "_exist";
/// What only a test gives back, and nobody hands over to any purpose.
pub const IN_DESIRED_STATE: &str = "_inDesiredState";
/// How DSC hands over what it keeps secret.
pub const SECURE: &str = "secureString";

/// The desired state.
pub struct Desired {
    /// As the module takes it.
    pub arguments: Map<String, Value>,
    /// Whether anything was said that is to be true.
    pub asks: bool,
    /// Whether `state` was given, and nothing about existence.
    only_state: bool,
}

/// Whether the state of things can be read without saying what it should be: any of its choices does then, as nothing is made
/// true. Of options and services it must be said which.
pub fn may_be_unsaid<M: Module>(field: &Field) -> bool {
    M::STATE.contains(&field.name.as_str()) && !field.choices.is_empty()
}

/// Whether the module's `state` may be `absent`, so that `_exist` means something.
pub fn handles_exist<M: Module>(fields: &[Field]) -> bool {
    let absent = |field: &Field| field.name == "state" && field.choices.iter().any(|(name, _)| name == "absent");
    M::STATE.contains(&"state") && fields.iter().any(absent)
}

impl Desired {
    /// What was `given`; `only_read` is that nothing is to be made true, nor judged.
    pub fn of<M: Module>(mut given: Map<String, Value>, only_read: bool) -> Result<Self, Error> {
        let fields = fields(&arguments_internal::<M>());
        given.remove(IN_DESIRED_STATE);
        // Editors are told by it how to help; DSC leaves it in.
        given.remove("$schema");
        for field in fields.iter().filter(|field| field.secret) {
            let secret = given.get(&field.name).and_then(|value| value.get(SECURE)).cloned();
            if let Some(secret) = secret {
                given.insert(field.name.clone(), secret);
            }
        }
        let said = given.get("state").cloned();
        let exist = if handles_exist::<M>(&fields) { given.remove(EXIST) } else { None };
        match (&exist, &said) {
            (None | Some(Value::Null), _) => {}
            (Some(Value::Bool(false)), None) => {
                given.insert("state".to_owned(), json!("absent"));
            }
            (Some(Value::Bool(exist)), said) if said.as_ref().is_none_or(|said| *exist == (said != "absent")) => {}
            (Some(Value::Bool(exist)), Some(said)) => {
                let detail = format!("`{EXIST}: {exist}` and `state: {said}` contradict each other: give one of them");
                return Err(Error::new(Kind::InvalidArguments, detail));
            }
            (Some(_), _) => {
                return Err(Error::new(Kind::InvalidArguments, format!("`{EXIST}`: expected true or false")));
            }
        }
        let asks = exist.is_some() || M::STATE.iter().any(|name| given.contains_key(*name));
        for field in fields.iter().filter(|field| only_read && field.required && may_be_unsaid::<M>(field)) {
            if let Some((any, _)) = field.choices.first() {
                given.entry(field.name.clone()).or_insert_with(|| json!(any));
            }
        }
        Ok(Self { arguments: given, asks, only_state: said.is_some() && exist.is_none() })
    }

    /// Whether `actual` has what every state has to hold.
    pub fn is_told_by<M: Module>(actual: &Map<String, Value>) -> bool {
        let fields = fields(&arguments_internal::<M>());
        let needed = |field: &&Field| field.required && M::STATE.contains(&field.name.as_str());
        fields.iter().filter(needed).all(|field| may_be_unsaid::<M>(field) || actual.contains_key(&field.name))
    }

    /// The actual state: what was given and is no secret, with the `actual` values in the place of the wanted ones.
    /// `understood` are all arguments as they were understood.
    pub fn echo<M: Module>(
        &self,
        mut understood: Map<String, Value>,
        actual: Map<String, Value>,
    ) -> Map<String, Value> {
        let fields = fields(&arguments_internal::<M>());
        // Where there is nothing to differ, such as in a cluster without hosts, what has to be said is as it was said.
        let repeated = |field: &Field| {
            let wanted = M::STATE.contains(&field.name.as_str());
            !field.secret && (!wanted || field.required && !may_be_unsaid::<M>(field))
        };
        understood.retain(|name, _| {
            self.arguments.contains_key(name) && fields.iter().any(|field| field.name == *name && repeated(field))
        });
        let exists = actual.get("state").map(|state| state != "absent");
        understood.extend(actual);
        // Whoever speaks of `state` alone is answered so: to DSC a thing of which nothing is said is to exist.
        if let Some(exists) = exists.filter(|_| handles_exist::<M>(&fields) && !self.only_state) {
            understood.insert(EXIST.to_owned(), json!(exists));
        }
        understood
    }
}
