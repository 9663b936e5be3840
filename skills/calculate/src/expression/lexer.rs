//! Splits an expression into tokens.

use crate::bindings::Failure;
use crate::decimal;
use crate::halt::parse_failure;
use dashu_ratio::RBig;

#[derive(Clone, Debug, PartialEq)]
pub enum Lexeme {
    Number(RBig),
    Name(String),
    /// An operator, parenthesis or comma.
    Sign(char),
    End,
}

/// A lexeme and the character at which it begins.
#[derive(Clone, Debug)]
pub struct Token {
    pub lexeme: Lexeme,
    pub position: usize,
}

pub fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

pub fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The tokens of `text`, the last of which is the end.
pub fn tokens(text: &str) -> Result<Vec<Token>, Failure> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut position = 0;
    while let Some(&c) = chars.get(position) {
        if c.is_whitespace() {
            position += 1;
            continue;
        }
        let (lexeme, end) = next(text, &chars, position)?;
        tokens.push(Token { lexeme, position });
        position = end;
    }
    tokens.push(Token { lexeme: Lexeme::End, position });
    Ok(tokens)
}

fn next(text: &str, chars: &[char], start: usize) -> Result<(Lexeme, usize), Failure> {
    let c = chars[start];
    if starts_name(c) {
        let length = chars[start..].iter().take_while(|&&c| in_name(c)).count();
        let end = start + length;
        return Ok((Lexeme::Name(chars[start..end].iter().collect()), end));
    }
    if let Some(sign) = sign(c) {
        return Ok((Lexeme::Sign(sign), start + 1));
    }
    if let Some((value, end)) = decimal::scan(chars, start)? {
        return Ok((Lexeme::Number(value), end));
    }
    Err(parse_failure(text, start, format!("unexpected character {c:?}"), &["a number", "a name", "an operator", "("]))
}

/// Typeset operators are read as what they stand for.
fn sign(c: char) -> Option<char> {
    match c {
        '+' | '-' | '*' | '/' | '%' | '^' | '(' | ')' | ',' => Some(c),
        '×' | '·' | '⋅' => Some('*'),
        '÷' => Some('/'),
        '−' => Some('-'),
        _ => None,
    }
}
