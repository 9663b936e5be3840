//! The types of a tool as its component declares them.
//!
//! These mirror the value types of the Component Model. They are data, apart
//! from the engine, so that JSON Schemas can be derived, stored and compared
//! without compiling anything.

use serde::{Deserialize, Serialize};

/// A value type. Named types carry their name and documentation where known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WitType {
    /// `bool`
    Bool,
    /// `s8`
    S8,
    /// `u8`
    U8,
    /// `s16`
    S16,
    /// `u16`
    U16,
    /// `s32`
    S32,
    /// `u32`
    U32,
    /// `s64`
    S64,
    /// `u64`
    U64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`: one Unicode scalar value.
    Char,
    /// `string`
    String,
    /// `list<T>`
    List(Box<WitType>),
    /// `tuple<…>`
    Tuple(Vec<WitType>),
    /// `option<T>`
    Option(Box<WitType>),
    /// `result<T, E>`, either part of which may be absent.
    Result {
        /// The type behind `ok`.
        ok: Option<Box<WitType>>,
        /// The type behind `err`.
        err: Option<Box<WitType>>,
    },
    /// `record`
    Record {
        /// What the author wrote about the type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        docs: Option<String>,
        /// In the order of declaration.
        fields: Vec<Field>,
    },
    /// `variant`
    Variant {
        /// What the author wrote about the type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        docs: Option<String>,
        /// In the order of declaration.
        cases: Vec<Case>,
    },
    /// `enum`
    Enum {
        /// What the author wrote about the type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        docs: Option<String>,
        /// In the order of declaration; none has a payload.
        cases: Vec<Case>,
    },
    /// `flags`
    Flags {
        /// What the author wrote about the type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        docs: Option<String>,
        /// In the order of declaration; none has a payload.
        flags: Vec<Case>,
    },
}

impl WitType {
    /// The short name of the type in errors: `f64`, `list`, `record`, …
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::S16 => "s16",
            Self::U16 => "u16",
            Self::S32 => "s32",
            Self::U32 => "u32",
            Self::S64 => "s64",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Option(_) => "option",
            Self::Result { .. } => "result",
            Self::Record { .. } => "record",
            Self::Variant { .. } => "variant",
            Self::Enum { .. } => "enum",
            Self::Flags { .. } => "flags",
        }
    }

    /// Whether `null` is one of the type's own values in JSON, so that an
    /// option around it needs a wrapper (`{"some": …}`) to stay unambiguous.
    pub const fn admits_null(&self) -> bool {
        matches!(self, Self::Option(_))
    }
}

/// A field of a record, or a parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// As in the WIT: kebab-case.
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub ty: WitType,
    /// What the author wrote about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// A case of a variant or an enum, or one flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// As in the WIT: kebab-case.
    pub name: String,
    /// The payload, where there is one.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub ty: Option<WitType>,
    /// What the author wrote about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// What a function gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Nothing, or one value that always counts as success.
    Value(Option<WitType>),
    /// A `result` at the top: `ok` is the tool's output, `err` its own failure.
    Fallible {
        /// The output.
        ok: Option<WitType>,
        /// The failure.
        err: Option<WitType>,
    },
}

impl Answer {
    /// The type of the output when the tool succeeds.
    pub const fn output(&self) -> Option<&WitType> {
        match self {
            Self::Value(ty) | Self::Fallible { ok: ty, .. } => ty.as_ref(),
        }
    }

    /// The type of the tool's own failure, where it can fail.
    pub const fn failure(&self) -> Option<&WitType> {
        match self {
            Self::Value(_) => None,
            Self::Fallible { err, .. } => err.as_ref(),
        }
    }
}

/// One exported function of a component: a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolSignature {
    /// How callers name it: the function's name where no other export shares
    /// it, else `interface.function`.
    pub name: String,
    /// The exported interface that holds it, as in the component
    /// (`demo:calc/calc@1.0.0`); absent for a free-standing function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The function's name in the component.
    pub function: String,
    /// What the author wrote about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// In the order of declaration.
    pub params: Vec<Field>,
    /// What comes back.
    pub answer: Answer,
}

impl ToolSignature {
    /// The long name, `interface.function`, which always works.
    pub fn qualified_name(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{}.{}", short_interface(interface), self.function),
            None => self.function.clone(),
        }
    }
}

/// `calc` of `demo:calc/calc@1.0.0`.
pub fn short_interface(interface: &str) -> &str {
    let unversioned = interface.split('@').next().unwrap_or(interface);
    unversioned.rsplit('/').next().unwrap_or(unversioned)
}
