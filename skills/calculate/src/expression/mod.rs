//! Arithmetic expressions: text to tokens, tokens to a program in postfix
//! order, and the program run over enclosures.

mod lexer;
mod parser;
mod program;
mod vocabulary;

use crate::bindings::{Decimal, Failure, Rounding, Variable};
use crate::decimal::{self, Format};
use crate::limits::{MAX_EXPRESSION, MAX_SCALE, MAX_VARIABLES};
use dashu_ratio::RBig;
use std::collections::BTreeMap;
use vocabulary::{Constant, Function};

/// The values of the names in an expression.
type Variables = BTreeMap<String, RBig>;

pub fn evaluate(
    expression: &str,
    variables: Option<Vec<Variable>>,
    scale: Option<u32>,
    rounding: Option<Rounding>,
) -> Result<Decimal, Failure> {
    let format = Format::new(scale, rounding, MAX_SCALE)?;
    let variables = read_variables(variables.unwrap_or_default())?;
    let length = expression.chars().count();
    if length > MAX_EXPRESSION {
        return Err(Failure::TooLarge(format!(
            "the expression has {length} characters; at most {MAX_EXPRESSION} are read"
        )));
    }
    let tokens = lexer::tokens(expression)?;
    let program = parser::program(expression, &tokens, &variables)?;
    format.settle(|precision| program::run(&program, precision, format.rounding))
}

fn read_variables(list: Vec<Variable>) -> Result<Variables, Failure> {
    if list.len() > MAX_VARIABLES {
        return Err(Failure::TooLarge(format!("there are {} variables; at most {MAX_VARIABLES} are read", list.len())));
    }
    let mut variables = Variables::new();
    for Variable { name, value } in list {
        check_name(&name)?;
        let value = decimal::parse(&value, &format!("variable {name}"))?;
        if variables.insert(name.clone(), value).is_some() {
            return Err(Failure::InvalidInput(format!("variable {name} is given twice")));
        }
    }
    Ok(variables)
}

fn check_name(name: &str) -> Result<(), Failure> {
    let mut chars = name.chars();
    let well_formed = chars.next().is_some_and(lexer::starts_name) && chars.all(lexer::in_name);
    if !well_formed {
        return Err(Failure::InvalidInput(format!(
            "variable name {name:?} must be a letter or underscore, then letters, digits and underscores"
        )));
    }
    if Function::named(name).is_some() || Constant::named(name).is_some() {
        return Err(Failure::InvalidInput(format!("variable name {name:?} is the name of a function or constant")));
    }
    Ok(())
}
