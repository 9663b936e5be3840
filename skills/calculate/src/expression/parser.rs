//! Recursive descent from tokens to a program. A sum or product of any length
//! is a loop here and in the program; only nesting recurses, to a fixed depth.

use super::Variables;
use super::lexer::{Lexeme, Token};
use super::program::{Action, Operator, Step};
use super::vocabulary::{Constant, Function, constant_names};
use crate::bindings::Failure;
use crate::halt::parse_failure;
use crate::limits::MAX_DEPTH;
use crate::suggest;

const OPERAND: &[&str] = &["a number", "a name", "a function", "(", "-"];
const AFTER_OPERAND: &[&str] = &["+", "-", "*", "/", "%", "^", "the end"];

/// The steps that work an expression out.
pub fn program(text: &str, tokens: &[Token], variables: &Variables) -> Result<Vec<Step>, Failure> {
    let mut parser = Parser { text, tokens, variables, next: 0, depth: 0, steps: Vec::new() };
    parser.sum()?;
    parser.end()?;
    Ok(parser.steps)
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    variables: &'a Variables,
    next: usize,
    depth: usize,
    steps: Vec<Step>,
}

impl<'a> Parser<'a> {
    fn sum(&mut self) -> Result<(), Failure> {
        self.product()?;
        while let Some((operator, position)) = self.operator(&[('+', Operator::Add), ('-', Operator::Subtract)]) {
            self.product()?;
            self.emit(Action::Binary(operator), position);
        }
        Ok(())
    }

    fn product(&mut self) -> Result<(), Failure> {
        self.signed()?;
        while let Some((operator, position)) =
            self.operator(&[('*', Operator::Multiply), ('/', Operator::Divide), ('%', Operator::Remainder)])
        {
            self.signed()?;
            self.emit(Action::Binary(operator), position);
        }
        Ok(())
    }

    /// Every way to nest passes through here, so the depth is counted here.
    fn signed(&mut self) -> Result<(), Failure> {
        if self.depth == MAX_DEPTH {
            return Err(Failure::TooLarge(format!("the expression nests deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        if let Some(position) = self.take('-') {
            self.signed()?;
            self.emit(Action::Negate, position);
        } else if self.take('+').is_some() {
            self.signed()?;
        } else {
            self.power()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn power(&mut self) -> Result<(), Failure> {
        self.operand()?;
        if let Some(position) = self.take('^') {
            self.signed()?;
            self.emit(Action::Binary(Operator::Power), position);
        }
        Ok(())
    }

    fn operand(&mut self) -> Result<(), Failure> {
        let token = self.peek();
        let position = token.position;
        match &token.lexeme {
            Lexeme::Number(value) => {
                self.next += 1;
                self.emit(Action::Push(value.clone()), position);
                Ok(())
            }
            Lexeme::Name(name) => {
                self.next += 1;
                self.name(name, position)
            }
            Lexeme::Sign('(') => {
                self.next += 1;
                self.sum()?;
                self.close(&[")"])
            }
            Lexeme::Sign(_) | Lexeme::End => Err(self.no_operand()),
        }
    }

    fn name(&mut self, name: &str, position: usize) -> Result<(), Failure> {
        if self.take('(').is_some() {
            let function =
                Function::named(name).ok_or_else(|| self.unknown("function", name, position, Function::names()))?;
            return self.call(function, position);
        }
        if let Some(value) = self.variables.get(name) {
            self.emit(Action::Push(value.clone()), position);
            return Ok(());
        }
        if let Some(constant) = Constant::named(name) {
            self.emit(Action::Constant(constant), position);
            return Ok(());
        }
        if Function::named(name).is_some() {
            let message = format!("the function {name} needs its arguments");
            return Err(parse_failure(self.text, self.peek().position, message, &["("]));
        }
        let mut known: Vec<&str> = constant_names().collect();
        known.extend(self.variables.keys().map(String::as_str));
        Err(self.unknown("name", name, position, known.into_iter()))
    }

    fn call(&mut self, function: Function, position: usize) -> Result<(), Failure> {
        let mut count = 0;
        if self.take(')').is_none() {
            loop {
                self.sum()?;
                count += 1;
                if self.take(',').is_none() {
                    break;
                }
            }
            self.close(&[")", ","])?;
        }
        if let Some(complaint) = function.arity_complaint(count) {
            return Err(parse_failure(self.text, position, complaint.message, &[&complaint.wanted]));
        }
        self.emit(Action::Call(function, count), position);
        Ok(())
    }

    fn close(&mut self, expected: &[&str]) -> Result<(), Failure> {
        if self.take(')').is_some() {
            return Ok(());
        }
        let operators = &AFTER_OPERAND[..AFTER_OPERAND.len() - 1];
        let expected: Vec<&str> = expected.iter().chain(operators).copied().collect();
        Err(self.unexpected(&expected))
    }

    fn end(&mut self) -> Result<(), Failure> {
        match self.peek().lexeme {
            Lexeme::End => Ok(()),
            _ => Err(self.unexpected(AFTER_OPERAND)),
        }
    }

    fn operator(&mut self, known: &[(char, Operator)]) -> Option<(Operator, usize)> {
        known.iter().find_map(|&(sign, operator)| Some((operator, self.take(sign)?)))
    }

    fn take(&mut self, sign: char) -> Option<usize> {
        let token = self.peek();
        if token.lexeme != Lexeme::Sign(sign) {
            return None;
        }
        self.next += 1;
        Some(token.position)
    }

    /// The end token is never passed, so there is always a next one.
    fn peek(&self) -> &'a Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn emit(&mut self, action: Action, position: usize) {
        self.steps.push(Step { action, position });
    }

    fn unknown<'n>(&self, kind: &str, name: &str, position: usize, known: impl Iterator<Item = &'n str>) -> Failure {
        let known: Vec<&str> = known.collect();
        let near = suggest::nearest(name, known.iter().copied());
        let mut expected: Vec<&str> = near.iter().map(String::as_str).collect();
        if expected.is_empty() {
            expected = known;
        }
        parse_failure(self.text, position, format!("unknown {kind} {name}"), &expected)
    }

    fn no_operand(&self) -> Failure {
        let after_percent = self.next.checked_sub(1).and_then(|before| self.tokens.get(before));
        if after_percent.is_some_and(|token| token.lexeme == Lexeme::Sign('%')) {
            let message = "% is the remainder and needs a right side; for per cent, divide by 100";
            return parse_failure(self.text, self.peek().position, message, OPERAND);
        }
        self.unexpected(OPERAND)
    }

    fn unexpected(&self, expected: &[&str]) -> Failure {
        let token = self.peek();
        let message = match &token.lexeme {
            Lexeme::Number(_) => "unexpected number".into(),
            Lexeme::Name(name) => format!("unexpected name {name}"),
            Lexeme::Sign(sign) => format!("unexpected {sign}"),
            Lexeme::End => "unexpected end".into(),
        };
        parse_failure(self.text, token.position, message, expected)
    }
}
