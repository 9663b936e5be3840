//! A parsed expression in postfix order, and how it runs.

use super::vocabulary::{Constant, Function};
use crate::bindings::Rounding;
use crate::enclosure::{Enclosure, Precision};
use crate::functions;
use crate::halt::Halt;
use crate::limits::MAX_SCALE;
use crate::powers;
use crate::rounding::to_places;
use dashu_ratio::RBig;

#[derive(Clone, Copy, Debug)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

#[derive(Clone, Debug)]
pub enum Action {
    Push(RBig),
    Constant(Constant),
    Negate,
    Binary(Operator),
    /// A function and how many values of the stack are its arguments.
    Call(Function, usize),
}

/// An action and the character of the expression that asked for it.
#[derive(Clone, Debug)]
pub struct Step {
    pub action: Action,
    pub position: usize,
}

pub fn run(program: &[Step], p: Precision, rounding: Rounding) -> Result<Enclosure, Halt> {
    let mut stack: Vec<Enclosure> = Vec::new();
    for step in program {
        let value = act(&step.action, &mut stack, p, rounding).map_err(|halt| match halt {
            Halt::Domain(message) => Halt::Domain(format!("{message} (at character {})", step.position)),
            other => other,
        })?;
        stack.push(value);
    }
    pop(&mut stack)
}

fn act(action: &Action, stack: &mut Vec<Enclosure>, p: Precision, rounding: Rounding) -> Result<Enclosure, Halt> {
    match action {
        Action::Push(value) => p.tidy_point(value.clone(), true),
        Action::Constant(Constant::Pi) => functions::pi(p),
        Action::Constant(Constant::Euler) => functions::euler(p),
        Action::Negate => Ok(pop(stack)?.neg()),
        Action::Binary(operator) => {
            let right = pop(stack)?;
            let left = pop(stack)?;
            binary(p, *operator, &left, &right)
        }
        Action::Call(function, count) => {
            let arguments = stack.split_off(stack.len().saturating_sub(*count));
            call(p, rounding, *function, &arguments)
        }
    }
}

/// The parser leaves every operand on the stack before it is wanted.
fn pop(stack: &mut Vec<Enclosure>) -> Result<Enclosure, Halt> {
    stack.pop().ok_or_else(|| Halt::domain("an operand is missing"))
}

fn binary(p: Precision, operator: Operator, left: &Enclosure, right: &Enclosure) -> Result<Enclosure, Halt> {
    match operator {
        Operator::Add => p.add(left, right),
        Operator::Subtract => p.sub(left, right),
        Operator::Multiply => p.mul(left, right),
        Operator::Divide => p.div(left, right),
        Operator::Remainder => p.rem(left, right),
        Operator::Power => powers::power(p, left, right),
    }
}

fn call(p: Precision, rounding: Rounding, function: Function, arguments: &[Enclosure]) -> Result<Enclosure, Halt> {
    let (first, rest) = arguments.split_first().ok_or_else(|| Halt::domain("an argument is missing"))?;
    let two = || Enclosure::integer(2);
    match function {
        Function::Abs => Ok(first.abs()),
        Function::Sign => Ok(p.step(first, RBig::signum)),
        Function::Floor => Ok(p.step(first, |x| RBig::from(x.floor()))),
        Function::Ceil => Ok(p.step(first, |x| RBig::from(x.ceil()))),
        Function::Trunc => Ok(p.step(first, |x| RBig::from(x.trunc()))),
        Function::Round => round(p, rounding, first, rest.first()),
        Function::Sqrt => powers::root(p, first, &two()),
        Function::Cbrt => powers::root(p, first, &Enclosure::integer(3)),
        Function::Root => powers::root(p, first, second(rest)?),
        Function::Exp => functions::exp(p, first),
        Function::Ln => functions::ln(p, first),
        Function::Log10 => functions::log(p, first, &Enclosure::integer(10)),
        Function::Log2 => functions::log(p, first, &two()),
        Function::Log => functions::log(p, first, second(rest)?),
        Function::Sin => functions::sin(p, first),
        Function::Cos => functions::cos(p, first),
        Function::Tan => functions::tan(p, first),
        Function::Asin => functions::asin(p, first),
        Function::Acos => functions::acos(p, first),
        Function::Atan => functions::atan(p, first),
        Function::Min => Ok(rest.iter().fold(first.clone(), |least, x| least.min(x))),
        Function::Max => Ok(rest.iter().fold(first.clone(), |most, x| most.max(x))),
        Function::Sum => sum(p, first, rest),
        Function::Mean => {
            let count = Enclosure::integer(arguments.len() as i64);
            p.div(&sum(p, first, rest)?, &count)
        }
    }
}

fn second(rest: &[Enclosure]) -> Result<&Enclosure, Halt> {
    rest.first().ok_or_else(|| Halt::domain("the second argument is missing"))
}

fn sum(p: Precision, first: &Enclosure, rest: &[Enclosure]) -> Result<Enclosure, Halt> {
    rest.iter().try_fold(first.clone(), |total, x| p.add(&total, x))
}

fn round(p: Precision, rounding: Rounding, x: &Enclosure, digits: Option<&Enclosure>) -> Result<Enclosure, Halt> {
    let limit = i64::from(MAX_SCALE);
    let places = match digits {
        None => 0,
        Some(digits) => digits
            .as_exact()
            .filter(|digits| digits.is_int())
            .and_then(|digits| i64::try_from(digits.numerator()).ok())
            .filter(|places| (-limit..=limit).contains(places))
            .ok_or_else(|| {
                Halt::domain(format!("the digits of round must be a whole number from -{limit} to {limit}"))
            })?,
    };
    Ok(p.step(x, |x| to_places(x, places, rounding)))
}
