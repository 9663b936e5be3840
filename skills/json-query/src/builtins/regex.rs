//! Regular expressions. jaq's own panics where a group that comes later in the
//! expression matched earlier in the text, as in `(?:(b)|(a))+` over "ab".

use super::{Data, Table};
use crate::limits::MAX_REGEX_BYTES;
use jaq_core::native::{bome, v};
use jaq_core::{Cv, Error, ValT as _};
use jaq_json::Val;
use regex_lite::{Captures, Regex, RegexBuilder};

pub fn table() -> Table<3> {
    [
        ("matches", v(2), |cv| bome(search(cv, Wanted::Matches))),
        ("split_", v(2), |cv| bome(search(cv, Wanted::Gaps))),
        ("split_matches", v(2), |cv| bome(search(cv, Wanted::Both))),
    ]
}

/// Which parts of the text are answered.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Matches,
    Gaps,
    Both,
}

#[derive(Default)]
struct Flags {
    global: bool,
    skip_empty: bool,
    ignore_case: bool,
    multi_line: bool,
    dot_matches_new_line: bool,
    swap_greed: bool,
    extended: bool,
}

fn search(mut cv: Cv<'_, Data>, wanted: Wanted) -> Result<Val, Error<Val>> {
    let flags = flags(text(&cv.0.pop_var())?)?;
    let expression = cv.0.pop_var();
    let regex = regex(text(&expression)?, &flags)?;
    let haystack = text(&cv.1)?;

    let mut parts = Vec::new();
    let mut gap_start = 0;
    let mut counter = Counter { text: haystack, bytes: 0, chars: 0 };
    for captures in regex.captures_iter(haystack) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        if flags.skip_empty && whole.is_empty() {
            continue;
        }
        if wanted != Wanted::Matches {
            parts.push(slice(&haystack[gap_start..whole.start()]));
            gap_start = whole.end();
        }
        if wanted != Wanted::Gaps {
            let start = counter.chars_before(whole.start());
            parts.push(groups(&regex, &captures, haystack, whole.start(), start)?);
        }
        if !flags.global {
            break;
        }
    }
    if wanted != Wanted::Matches {
        parts.push(slice(&haystack[gap_start..]));
    }
    Ok(parts.into_iter().collect())
}

fn flags(letters: &str) -> Result<Flags, Error<Val>> {
    let mut flags = Flags::default();
    for letter in letters.chars() {
        match letter {
            'g' => flags.global = true,
            'n' => flags.skip_empty = true,
            'i' => flags.ignore_case = true,
            'm' => flags.multi_line = true,
            's' => flags.dot_matches_new_line = true,
            'l' => flags.swap_greed = true,
            'x' => flags.extended = true,
            'p' => (flags.multi_line, flags.dot_matches_new_line) = (true, true),
            other => {
                return Err(Error::str(format_args!("{other:?} is not one of the flags g n i m s l x p")));
            }
        }
    }
    Ok(flags)
}

fn regex(expression: &str, flags: &Flags) -> Result<Regex, Error<Val>> {
    RegexBuilder::new(expression)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_matches_new_line)
        .swap_greed(flags.swap_greed)
        .ignore_whitespace(flags.extended)
        .size_limit(MAX_REGEX_BYTES)
        .build()
        .map_err(|error| Error::str(format_args!("invalid regular expression {expression:?}: {error}")))
}

/// The match and its groups, in jq's form: a group that took no part has no
/// string, and offsets and lengths count characters.
fn groups(
    regex: &Regex,
    captures: &Captures<'_>,
    haystack: &str,
    start: usize,
    chars_before: usize,
) -> Result<Val, Error<Val>> {
    let group = |(index, name): (usize, Option<&str>)| {
        let (offset, length, string) = match captures.get(index) {
            Some(found) => (
                // A group lies inside its match.
                Val::from(chars_before + haystack[start..found.start()].chars().count()),
                found.as_str().chars().count(),
                slice(found.as_str()),
            ),
            None => (Val::from(-1isize), 0, Val::Null),
        };
        let name = name.map(slice);
        let is_group = index > 0;
        let fields = [
            ("offset", Some(offset)),
            ("length", Some(Val::from(length))),
            ("string", Some(string)),
            ("name", is_group.then(|| name.unwrap_or_default())),
        ];
        let fields = fields.into_iter().filter_map(|(key, field)| Some((slice(key), field?)));
        Val::from_map(fields)
    };
    regex.capture_names().enumerate().map(group).collect()
}

fn text(value: &Val) -> Result<&str, Error<Val>> {
    match value {
        Val::TStr(bytes) => std::str::from_utf8(bytes).map_err(Error::str),
        other => Err(Error::typ(other.clone(), "string")),
    }
}

fn slice(text: &str) -> Val {
    Val::from(text.to_owned())
}

/// Counts characters up to a byte, without counting from the start each time.
struct Counter<'a> {
    text: &'a str,
    bytes: usize,
    chars: usize,
}

impl Counter<'_> {
    fn chars_before(&mut self, byte: usize) -> usize {
        self.chars += self.text[self.bytes..byte].chars().count();
        self.bytes = byte;
        self.chars
    }
}
