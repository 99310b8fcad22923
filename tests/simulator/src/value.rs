//! Values of the API: primitives, references, data objects and arrays.

use std::borrow::Cow;

/// A reference to a managed object (`ManagedObjectReference`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref {
    /// The managed object type, such as `VirtualMachine`.
    pub kind: String,
    /// The managed object id, such as `vm-63`.
    pub moid: String,
}

impl Ref {
    /// A reference to the object of this type and id.
    pub fn new(kind: &str, moid: &str) -> Self {
        Self { kind: kind.to_owned(), moid: moid.to_owned() }
    }
}

/// A value of any type of the API.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `xsd:boolean`
    Bool(bool),
    /// `xsd:int`
    Int(i32),
    /// `xsd:short`
    Short(i16),
    /// `xsd:long`
    Long(i64),
    /// `xsd:string`
    Str(String),
    /// `xsd:dateTime`, already in its text form
    Time(String),
    /// An enumeration of the API: its type name and the chosen word
    Enum(&'static str, String),
    /// A reference to a managed object
    Ref(Ref),
    /// A data object
    Data(Data),
    /// `ArrayOf…`: the item type's name and the items
    List(&'static str, Vec<Value>),
}

/// A data object: the name of its type and its fields in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// The type's name in the WSDL, such as `VirtualMachineConfigInfo`.
    pub kind: Cow<'static, str>,
    /// The fields that are set, in the order in which they were set.
    pub fields: Vec<(Cow<'static, str>, Value)>,
}

impl Data {
    /// An object of this type without fields.
    pub fn new(kind: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: kind.into(), fields: Vec::new() }
    }

    /// The same object with one more field.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The same object with one more field, if there is a value.
    #[must_use]
    pub fn opt<V: Into<Value>>(self, name: &'static str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same object with a list. An empty list is left out, because the API does not distinguish them.
    #[must_use]
    pub fn list(self, name: &'static str, kind: &'static str, items: Vec<Value>) -> Self {
        if items.is_empty() { self } else { self.with(name, Value::List(kind, items)) }
    }

    /// The field's value, if it is set.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

impl Value {
    /// The type's name as `xsi:type` gives it, with its prefix.
    pub fn type_name(&self) -> String {
        match self {
            Self::Bool(_) => "xsd:boolean".into(),
            Self::Int(_) => "xsd:int".into(),
            Self::Short(_) => "xsd:short".into(),
            Self::Long(_) => "xsd:long".into(),
            Self::Str(_) => "xsd:string".into(),
            Self::Time(_) => "xsd:dateTime".into(),
            Self::Enum(kind, _) => (*kind).into(),
            Self::Ref(_) => "ManagedObjectReference".into(),
            Self::Data(data) => data.kind.to_string(),
            Self::List(kind, _) => match *kind {
                "string" => "ArrayOfString".into(),
                "int" => "ArrayOfInt".into(),
                "long" => "ArrayOfLong".into(),
                kind => format!("ArrayOf{kind}"),
            },
        }
    }

    /// A list of references.
    pub fn refs(items: impl IntoIterator<Item = Ref>) -> Self {
        Self::List("ManagedObjectReference", items.into_iter().map(Value::Ref).collect())
    }

    /// The references in this value: one, or those of a list.
    pub fn references(&self) -> Vec<Ref> {
        match self {
            Self::Ref(r) => vec![r.clone()],
            Self::List(_, items) => items.iter().flat_map(Value::references).collect(),
            _ => Vec::new(),
        }
    }
}

macro_rules! from {
    ($($source:ty => $variant:ident),*) => {$(
        impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
from!(bool => Bool, i32 => Int, i16 => Short, i64 => Long, &str => Str, String => Str, &String => Str, Ref => Ref, Data => Data);
