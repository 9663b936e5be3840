//! A JSON value as it was written: numbers as text, members in order and with
//! duplicates.

/// One JSON value.
#[derive(Debug, Clone)]
pub enum Json {
    Null,
    Bool(bool),
    /// The number's text, which is valid by the JSON grammar.
    Number(Box<str>),
    String(Box<str>),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

/// A key and its value.
pub type Member = (Box<str>, Json);

impl Json {
    /// The type's name with its article, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}
