//! The functions and constants of expressions.

use std::ops::RangeInclusive;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant {
    Pi,
    Euler,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Abs,
    Sign,
    Floor,
    Ceil,
    Trunc,
    Round,
    Sqrt,
    Cbrt,
    Root,
    Exp,
    Ln,
    Log10,
    Log2,
    Log,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Min,
    Max,
    Sum,
    Mean,
}

/// A wrong count of arguments.
pub struct Complaint {
    pub message: String,
    pub wanted: String,
}

/// Names, meanings and how many arguments each takes.
const FUNCTIONS: &[(&str, Function, RangeInclusive<usize>)] = &[
    ("abs", Function::Abs, 1..=1),
    ("sign", Function::Sign, 1..=1),
    ("floor", Function::Floor, 1..=1),
    ("ceil", Function::Ceil, 1..=1),
    ("trunc", Function::Trunc, 1..=1),
    ("round", Function::Round, 1..=2),
    ("sqrt", Function::Sqrt, 1..=1),
    ("cbrt", Function::Cbrt, 1..=1),
    ("root", Function::Root, 2..=2),
    ("exp", Function::Exp, 1..=1),
    ("ln", Function::Ln, 1..=1),
    ("log10", Function::Log10, 1..=1),
    ("log2", Function::Log2, 1..=1),
    ("log", Function::Log, 2..=2),
    ("sin", Function::Sin, 1..=1),
    ("cos", Function::Cos, 1..=1),
    ("tan", Function::Tan, 1..=1),
    ("asin", Function::Asin, 1..=1),
    ("acos", Function::Acos, 1..=1),
    ("atan", Function::Atan, 1..=1),
    ("min", Function::Min, 1..=usize::MAX),
    ("max", Function::Max, 1..=usize::MAX),
    ("sum", Function::Sum, 1..=usize::MAX),
    ("mean", Function::Mean, 1..=usize::MAX),
];

const CONSTANTS: &[(&str, Constant)] = &[("pi", Constant::Pi), ("e", Constant::Euler)];

impl Constant {
    pub fn named(name: &str) -> Option<Self> {
        let entry = CONSTANTS.iter().find(|(known, _)| *known == name)?;
        Some(entry.1)
    }
}

impl Function {
    pub fn named(name: &str) -> Option<Self> {
        let entry = FUNCTIONS.iter().find(|(known, ..)| *known == name)?;
        Some(entry.1)
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|(name, ..)| *name)
    }

    /// What to say about a count of arguments that doesn't fit.
    pub fn arity_complaint(self, count: usize) -> Option<Complaint> {
        let (name, _, arity) = FUNCTIONS.iter().find(|(_, known, _)| *known == self)?;
        if arity.contains(&count) {
            return None;
        }
        let wanted: String = match (*arity.start(), *arity.end()) {
            (1, 1) => "1 argument".into(),
            (1, usize::MAX) => "at least 1 argument".into(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} or {most} arguments"),
        };
        Some(Complaint { message: format!("{name} takes {wanted}, not {count}"), wanted })
    }
}

/// The names of the constants.
pub fn constant_names() -> impl Iterator<Item = &'static str> {
    CONSTANTS.iter().map(|(name, _)| *name)
}
