//! The replacement's little language: `$1`, `${name}`, `$$`.
//!
//! The `regex` crate expands the same syntax, but puts nothing where a group
//! does not exist, so that `$1st` silently loses text. Here it is an error.

use regex::{Captures, Regex};

use crate::exports::bailiwick::text::tools::Failure;
use crate::limits::MAX_TEMPLATE_PIECES;

/// A replacement that was checked against its pattern.
pub struct Template<'t> {
    pieces: Vec<Piece<'t>>,
}

enum Piece<'t> {
    Literal(&'t str),
    Group(usize),
}

impl<'t> Template<'t> {
    /// Reads a replacement, and fails when it names a group that the pattern
    /// lacks.
    pub fn parse(replacement: &'t str, pattern: &Regex) -> Result<Self, Failure> {
        let mut pieces = Vec::new();
        let mut rest = replacement;
        while let Some(dollar) = rest.find('$') {
            pieces.push(Piece::Literal(&rest[..dollar]));
            let (piece, after) = parse_dollar(&rest[dollar..], pattern)?;
            pieces.push(piece);
            rest = after;
            if pieces.len() >= MAX_TEMPLATE_PIECES {
                return Err(Failure::TooLarge(format!(
                    "`replacement` has more than {} dollar signs, which is the most",
                    MAX_TEMPLATE_PIECES / 2
                )));
            }
        }
        pieces.push(Piece::Literal(rest));
        Ok(Self { pieces })
    }

    /// Appends what the replacement stands for in one match.
    pub fn expand(&self, captures: &Captures, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Group(index) => {
                    out.push_str(captures.get(*index).map_or("", |group| group.as_str()));
                }
            }
        }
    }

    /// How many bytes `expand` would append.
    pub fn expanded_len(&self, captures: &Captures) -> usize {
        let length = |piece: &Piece| match piece {
            Piece::Literal(text) => text.len(),
            Piece::Group(index) => captures.get(*index).map_or(0, |group| group.len()),
        };
        self.pieces.iter().map(length).sum()
    }
}

/// Reads one `$…` at the start of `text`; answers it with what follows it. A
/// dollar sign that begins no reference stands for itself.
fn parse_dollar<'t>(text: &'t str, pattern: &Regex) -> Result<(Piece<'t>, &'t str), Failure> {
    let after = &text[1..];
    if let Some(rest) = after.strip_prefix('$') {
        return Ok((Piece::Literal(&text[..1]), rest));
    }
    if let Some(braced) = after.strip_prefix('{') {
        let Some((name, rest)) = braced.split_once('}') else {
            return Err(Failure::InvalidInput(format!(
                "`replacement` has `${{` without a closing `}}` in `{text}`; write `$$` for a dollar sign"
            )));
        };
        return Ok((Piece::Group(resolve(name, pattern)?), rest));
    }
    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
    let (name, rest) = after.split_at(end);
    if name.is_empty() {
        return Ok((Piece::Literal(&text[..1]), after));
    }
    Ok((Piece::Group(resolve(name, pattern)?), rest))
}

/// Finds the number of the group with this name or number.
fn resolve(name: &str, pattern: &Regex) -> Result<usize, Failure> {
    let by_number = name.parse().ok().filter(|n| *n < pattern.captures_len());
    let by_name = || pattern.capture_names().position(|n| n == Some(name));
    by_number.or_else(by_name).ok_or_else(|| {
        Failure::InvalidInput(format!(
            "`replacement` names the group `{name}`, but the pattern has {}; write `${{1}}` before a letter, digit or `_`, and `$$` for a dollar sign",
            known_groups(pattern)
        ))
    })
}

fn known_groups(pattern: &Regex) -> String {
    let groups: Vec<String> = pattern
        .capture_names()
        .enumerate()
        .map(|(index, name)| name.map_or_else(|| index.to_string(), |name| name.to_owned()))
        .collect();
    format!("only the groups {}", groups.join(", "))
}
