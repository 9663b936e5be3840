//! A version and its place among others.

use std::cmp::Ordering;

/// A version without its build number, which says nothing of its place.
#[derive(PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) numbers: [u64; 3],
    /// The words behind the hyphen: it comes before the release of these numbers.
    pub(crate) before: Option<Vec<Word>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    // Numbers come before names.
    Number(u64),
    Name(String),
}

const EXPECTED: &str = "three numbers without leading zeros, such as `1.2.3`, `1.2.3-rc.1` or `1.2.3+7`";

impl Version {
    /// The version that `text` is; the error says what was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (rest, build) = split(text, '+');
        let (numbers, before) = split(rest, '-');
        let numbers = numbers.split('.').map(number).collect::<Option<Vec<_>>>().ok_or(EXPECTED)?;
        let numbers = <[u64; 3]>::try_from(numbers).map_err(|_| EXPECTED)?;
        if build.is_some_and(|build| !build.split('.').all(is_word)) {
            return Err(EXPECTED);
        }
        let words = |text: &str| text.split('.').map(word).collect::<Option<Vec<_>>>().ok_or(EXPECTED);
        Ok(Self { numbers, before: before.map(words).transpose()? })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (&self.before, &other.before) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            // Of two that begin alike, the longer one is later.
            (Some(a), Some(b)) => a.cmp(b),
        })
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn word(text: &str) -> Option<Word> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text).map(Word::Number);
    }
    is_word(text).then(|| Word::Name(text.to_owned()))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
