//! How deep a filter makes the jq parser, compiler and interpreter recurse.

use crate::failure::too_large;
use crate::limits::{BRACKET_LINKS, MAX_FILTER_CHAIN, MAX_FILTER_DEPTH};
use crate::wit::Failure;
use jaq_core::load::lex::{StrPart, Tok, Token};

/// Fails where more is open at once than the parser's stack allows. Brackets
/// that do not match are left for the parser to report.
pub fn check_brackets(code: &str) -> Result<(), Failure> {
    let mut open = Vec::new();
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        let in_string = open.last() == Some(&Open::String);
        match (in_string, c) {
            (true, '"') => {
                open.pop();
            }
            (true, '\\') => {
                if chars.next() == Some('(') {
                    open.push(Open::Bracket);
                }
            }
            (true, _) => {}
            (false, '"') => open.push(Open::String),
            (false, '(' | '[' | '{') => open.push(Open::Bracket),
            (false, ')' | ']' | '}') => {
                open.pop();
            }
            (false, '#') => skip_comment(&mut chars),
            (false, _) => {}
        }
        if open.len() > MAX_FILTER_DEPTH {
            return Err(too_large(format!(
                "brackets and strings in the filter nest deeper than {MAX_FILTER_DEPTH} levels"
            )));
        }
    }
    Ok(())
}

/// Fails where a chain such as `1 + 1 + …`, `- - - 1` or `. | . | …` is longer
/// than the stack allows, on its own or inside others.
pub fn check_chains(tokens: &[Token<&str>]) -> Result<(), Failure> {
    let links = longest_chain(tokens);
    if links > MAX_FILTER_CHAIN {
        return Err(too_large(format!(
            "an expression in the filter has {links} operators; at most {MAX_FILTER_CHAIN} are read: \
             split it with `def`"
        )));
    }
    Ok(())
}

/// What is open at a place in a filter.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    Bracket,
    String,
}

/// Arguments and definitions stand side by side between `;`, so only the
/// longest counts. A definition in the middle of an expression is different:
/// all that follows it is parsed inside it.
fn longest_chain(tokens: &[Token<&str>]) -> usize {
    let separate = !has_inner_definition(tokens);
    let parts = tokens.split(|Token(text, _)| separate && *text == ";");
    parts.map(chain).max().unwrap_or(0)
}

fn has_inner_definition(tokens: &[Token<&str>]) -> bool {
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    pairs.into_iter().any(|(Token(before, _), Token(text, _))| *text == "def" && *before != ";")
}

fn chain(tokens: &[Token<&str>]) -> usize {
    let inner = tokens.iter().map(|Token(_, token)| inside(token)).max();
    tokens.iter().filter(|token| is_link(token)).count() + inner.unwrap_or(0)
}

/// Whether a token nests what follows it, or what came before, one level deeper.
fn is_link(Token(text, token): &Token<&str>) -> bool {
    match token {
        Tok::Sym => !text.starts_with('.') && !matches!(*text, ":" | "?" | ";" | ")" | "]" | "}"),
        Tok::Word => matches!(
            *text,
            "and" | "as" | "catch" | "def" | "elif" | "foreach" | "if" | "label" | "or" | "reduce" | "try"
        ),
        Tok::Var | Tok::Fmt | Tok::Num | Tok::Str(_) | Tok::Block(_) => false,
    }
}

fn inside(token: &Tok<&str>) -> usize {
    match token {
        Tok::Block(tokens) => BRACKET_LINKS + longest_chain(tokens),
        Tok::Str(parts) => {
            let inner = parts.iter().map(|part| match part {
                StrPart::Term(Token(_, token)) => inside(token),
                StrPart::Str(_) | StrPart::Char(_) => 0,
            });
            parts.len() + inner.max().unwrap_or(0)
        }
        Tok::Word | Tok::Var | Tok::Fmt | Tok::Num | Tok::Sym => 0,
    }
}

/// A comment goes on after a line that ends in an odd number of backslashes.
fn skip_comment(chars: &mut std::str::Chars) {
    let mut backslashes = 0;
    for c in chars {
        match c {
            '\n' if backslashes % 2 == 0 => return,
            '\\' => backslashes += 1,
            '\r' => {}
            _ => backslashes = 0,
        }
    }
}
