//! Cells: their order, what makes two of them equal, and the type of a column.

use crate::number::{Number, Value};
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

#[derive(Debug, Clone)]
pub enum Cell {
    Null,
    Bool(bool),
    Number(Number),
    Text(Rc<str>),
    /// An array or object, as JSON text.
    Json(Rc<str>),
}

/// What a cell is equal by, when groups, keys and different values are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Null,
    Bool(bool),
    Exact(Decimal),
    /// The bits of a double.
    Double(u64),
    Text(Rc<str>),
    Json(Rc<str>),
}

/// The type of a column's cells, nulls aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Integer,
    Number,
    Text,
    Json,
    Mixed,
}

impl Cell {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The cell as CSV writes it. Null is empty.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(number) => Cow::Owned(number.text()),
            Self::Text(text) | Self::Json(text) => Cow::Borrowed(text),
        }
    }

    pub fn key(&self) -> Key {
        match self {
            Self::Null => Key::Null,
            Self::Bool(b) => Key::Bool(*b),
            Self::Number(number) => match number.value {
                Value::Exact(decimal) => Key::Exact(decimal),
                // Adding zero makes the two zeros one.
                Value::Double(double) => Key::Double((double + 0.0).to_bits()),
            },
            Self::Text(text) => Key::Text(text.clone()),
            Self::Json(text) => Key::Json(text.clone()),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(number) if number.is_integer() => Kind::Integer,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Json(_) => Kind::Json,
        }
    }

    /// Orders cells of any types: booleans, numbers, text, JSON, and null last.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.value.cmp(&b.value),
            (Self::Text(a), Self::Text(b)) | (Self::Json(a), Self::Json(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
            Self::Json(_) => 3,
            Self::Null => 4,
        }
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        Self::Number(value.into())
    }
}

impl Kind {
    /// The type of cells of which some are of this type and some of the other.
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
            _ => Self::Mixed,
        }
    }

    /// Whether cells of the two types can be equal.
    pub fn comparable(self, other: Self) -> bool {
        let open = |kind| matches!(kind, Self::Null | Self::Mixed);
        open(self) || open(other) || self.with(other) != Self::Mixed
    }

    /// The type in the plural, for messages.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Null => "nothing but null",
            Self::Bool => "booleans",
            Self::Integer => "integers",
            Self::Number => "numbers",
            Self::Text => "text",
            Self::Json => "JSON",
            Self::Mixed => "values of several types",
        }
    }
}
