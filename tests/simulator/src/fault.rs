//! Faults of the API.

use crate::schema;
use crate::value::{Data, Ref, Value};

/// A fault of the API (`MethodFault` and its subclasses).
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The fault's type and fields.
    pub data: Data,
    /// The text: `faultstring`, or `localizedMessage` of a nested fault.
    pub message: String,
    /// `faultcode`.
    pub code: &'static str,
}

/// The result of a method, or its fault.
pub type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    /// A fault of this type without fields.
    pub fn new(kind: impl Into<std::borrow::Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { data: Data::new(kind), message: message.into(), code: "ServerFaultCode" }
    }

    /// The same fault with a field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.data = self.data.with(name, value);
        self
    }

    /// The same fault with an entry in `faultMessage` (`LocalizableMessage`).
    #[must_use]
    pub fn saying(mut self, key: &str, message: &str) -> Self {
        let entry: Value = Data::new("LocalizableMessage").with("key", key).with("message", message).into();
        // Elements of the base type come first.
        match self.data.fields.first_mut() {
            Some((name, Value::List(_, entries))) if name == "faultMessage" => entries.push(entry),
            _ => self.data.fields.insert(0, ("faultMessage".into(), Value::List("LocalizableMessage", vec![entry]))),
        }
        self
    }

    /// The fault as a value inside another fault, a task or a result (`LocalizedMethodFault`).
    pub fn localized(&self) -> Value {
        Data::new("LocalizedMethodFault")
            .with("fault", self.data.clone())
            .with("localizedMessage", &self.message)
            .into()
    }

    /// The fault's type.
    pub fn kind(&self) -> &str {
        &self.data.kind
    }

    /// `InvalidRequest`: the body does not conform to the WSDL.
    pub fn invalid_request(why: &str) -> Self {
        Self::new("InvalidRequest", why)
    }

    /// `InvalidType`: this API version has no such type, or the type is not allowed there.
    pub fn invalid_type(name: &str) -> Self {
        Self::new("InvalidType", "The request refers to an unexpected or unknown type.").with("argument", name)
    }

    /// The same fault with another line about the place in the request.
    #[must_use]
    pub fn while_parsing(mut self, what: &str) -> Self {
        self.message.push_str("\n\nwhile parsing ");
        self.message.push_str(what);
        self
    }

    /// The same fault with defaults for missing required fields; missing references refer to this object.
    #[must_use]
    pub fn complete(mut self, object: &Ref) -> Self {
        complete(&mut self.data, object);
        self
    }

    /// `InvalidArgument` for this parameter.
    pub fn invalid_argument(property: &str) -> Self {
        Self::new("InvalidArgument", format!("A specified parameter was not correct: {property}"))
            .with("invalidProperty", property)
    }

    /// `InvalidProperty`: the type has no such property in this version of the API.
    pub fn invalid_property(name: &str) -> Self {
        Self::new("InvalidProperty", format!("Property {name} is not known")).with("name", name)
    }

    /// `InvalidName` of an option.
    pub fn invalid_name(name: &str) -> Self {
        Self::new("InvalidName", format!("The name '{name}' is not valid.")).with("name", name)
    }

    /// `NotAuthenticated`: there is no live session.
    pub fn not_authenticated(object: &Ref) -> Self {
        Self::new("NotAuthenticated", "The session is not authenticated.")
            .with("object", object.clone())
            .with("privilegeId", "System.View")
    }

    /// `NoPermission`: the user does not have this privilege on the object.
    pub fn no_permission(object: &Ref, privilege: &'static str) -> Self {
        Self::new("NoPermission", "Permission to perform this operation was denied.")
            .with("object", object.clone())
            .with("privilegeId", privilege)
    }

    /// `ManagedObjectNotFound`.
    pub fn not_found(object: &Ref) -> Self {
        Self::new(
            "ManagedObjectNotFound",
            format!(
                "The object '{}:{}' has already been deleted or has not been completely created",
                object.kind, object.moid
            ),
        )
        .with("obj", object.clone())
    }

    /// `NotSupported`.
    pub fn not_supported() -> Self {
        Self::new("NotSupported", "The operation is not supported on the object.")
    }
}

fn complete(data: &mut Data, object: &Ref) {
    for field in schema::fields(&data.kind) {
        if data.get(field.name).is_none()
            && let Some(value) = schema::default(field, Some(object))
        {
            data.fields.push((field.name.into(), value));
        }
    }
    for (_, value) in &mut data.fields {
        let items = match value {
            Value::List(_, items) => items.as_mut_slice(),
            single => std::slice::from_mut(single),
        };
        for item in items {
            if let Value::Data(data) = item {
                complete(data, object);
            }
        }
    }
}
