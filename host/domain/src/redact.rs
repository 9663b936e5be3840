//! Keeps secrets out of texts: finds each of them, as it is and in the forms that
//! programs write it, and puts `[secret NAME]` in its place.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Finds secrets in texts. One for no secrets does nothing, and costs nothing.
#[derive(Default)]
pub struct Redactor(Option<Finder>);

/// One of the forms of a secret.
type Pattern = Zeroizing<Vec<u8>>;

struct Finder {
    search: AhoCorasick,
    /// What takes the place of each pattern's secret, by the pattern's number.
    replacements: Vec<Arc<[u8]>>,
    /// Every pattern in the order of its bytes, to tell what may be the beginning of one.
    sorted: Vec<Pattern>,
    /// The bytes that some pattern begins with.
    first: [bool; 256],
    /// Bytes of the longest pattern.
    longest: usize,
}

/// There are more secrets than can be looked for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secrets of this host are too many or too long to be looked for")]
pub struct TooManySecrets;

/// A JSON text holds a secret outside of its strings, where nothing can take its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret of this host stands in it as a number or across several values")]
pub struct SecretInJson;

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self.0.as_ref().map_or(0, |finder| finder.sorted.len());
        write!(f, "Redactor of {patterns} patterns")
    }
}

impl Redactor {
    /// Finds `secrets`, which are pairs of a name and its bytes.
    pub fn new<'a>(secrets: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Self, TooManySecrets> {
        let mut patterns: Vec<(Pattern, Arc<[u8]>)> = Vec::new();
        for (name, bytes) in secrets {
            let replacement: Arc<[u8]> = format!("[secret {name}]").into_bytes().into();
            patterns.extend(forms(bytes).into_iter().map(|form| (form, Arc::clone(&replacement))));
        }
        patterns.sort_by(|one, other| one.0.as_slice().cmp(other.0.as_slice()));
        patterns.dedup_by(|later, earlier| *later.0 == *earlier.0);
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(patterns.iter().map(|(pattern, _)| pattern.as_slice()))
            .map_err(|_| TooManySecrets)?;
        let mut first = [false; 256];
        for byte in patterns.iter().filter_map(|(pattern, _)| pattern.first()) {
            if let Some(begins) = first.get_mut(usize::from(*byte)) {
                *begins = true;
            }
        }
        let longest = patterns.iter().map(|(pattern, _)| pattern.len()).max().unwrap_or_default();
        let (sorted, replacements) = patterns.into_iter().unzip();
        Ok(Self(Some(Finder { search, replacements, sorted, first, longest })))
    }

    /// Whether there is nothing to find.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The bytes without secrets.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(finder) = &self.0 else { return bytes.into() };
        let (mut clean, mut done) = (Vec::new(), 0);
        while let Some(end) = finder.replace(bytes, done, bytes.len(), &mut clean) {
            done = end;
        }
        if done == 0 {
            return bytes.into();
        }
        clean.extend_from_slice(bytes.get(done..).unwrap_or_default());
        clean.into()
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => text.into(),
            Cow::Owned(clean) => String::from_utf8_lossy(&clean).into_owned().into(),
        }
    }

    /// The same in place, for the fields of records.
    pub fn clean(&self, text: &mut String) {
        if let Cow::Owned(clean) = self.text(text) {
            *text = clean;
        }
    }

    /// The same for a text that may have been cut, which `…` at its end says: the beginning
    /// of a secret may stand before it.
    pub fn clean_cut(&self, text: &mut String) {
        if let Some(kept) = text.strip_suffix('…') {
            let kept = self.without_cut_secret(kept.as_bytes());
            if kept.len() + '…'.len_utf8() < text.len() {
                *text = format!("{}…", String::from_utf8_lossy(kept));
            }
        }
        self.clean(text);
    }

    /// The JSON text without secrets in its strings, as JSON.
    pub fn json(&self, json: String) -> Result<String, SecretInJson> {
        if !self.finds(&json) {
            return Ok(json);
        }
        let mut clean = String::with_capacity(json.len());
        let mut rest = json.as_str();
        while let Some((before, from_quote)) = rest.find('"').map(|quote| rest.split_at(quote)) {
            let (literal, after) = from_quote.split_at_checked(literal_length(from_quote)).ok_or(SecretInJson)?;
            let text: String = serde_json::from_str(literal).map_err(|_| SecretInJson)?;
            clean.push_str(before);
            match self.text(&text) {
                Cow::Borrowed(_) => clean.push_str(literal),
                Cow::Owned(text) => clean.push_str(&serde_json::to_string(&text).map_err(|_| SecretInJson)?),
            }
            rest = after;
        }
        clean.push_str(rest);
        if self.finds(&clean) { Err(SecretInJson) } else { Ok(clean) }
    }

    /// The beginning of `bytes`, which were cut off at their end, without what may be
    /// the beginning of a secret.
    pub fn without_cut_secret<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let end = self.0.as_ref().map_or(bytes.len(), |finder| finder.open_from(bytes, 0));
        bytes.get(..end).unwrap_or_default()
    }

    fn finds(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|finder| finder.search.is_match(text))
    }
}

/// The length of the string literal that `text` begins with, quotes included.
fn literal_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

impl Finder {
    /// The first secret in `bytes` that begins at `from` or later, and before `end`.
    /// What stands before it is written to `clean`, and what takes its place; the
    /// answer is where it ends.
    fn replace(&self, bytes: &[u8], from: usize, end: usize, clean: &mut Vec<u8>) -> Option<usize> {
        let found = self.search.find(Input::new(bytes).range(from..)).filter(|found| found.start() < end)?;
        clean.extend_from_slice(bytes.get(from..found.start()).unwrap_or_default());
        clean.extend_from_slice(self.replacements.get(found.pattern().as_usize()).map_or(&[], |text| text));
        Some(found.end())
    }

    /// From where on, at `start` or later, `bytes` may be the beginning of a pattern that
    /// goes on behind them.
    fn open_from(&self, bytes: &[u8], start: usize) -> usize {
        let earliest = bytes.len().saturating_sub(self.longest.saturating_sub(1)).max(start);
        let open = |at: &usize| bytes.get(*at..).is_some_and(|tail| self.begins_with(tail));
        (earliest..bytes.len()).find(open).unwrap_or(bytes.len())
    }

    /// Whether a pattern begins with `tail` and is longer.
    fn begins_with(&self, tail: &[u8]) -> bool {
        let possible = tail.first().and_then(|byte| self.first.get(usize::from(*byte)));
        // Those that begin with `tail` stand right behind `tail` itself.
        let next = || self.sorted.get(self.sorted.partition_point(|pattern| pattern.as_slice() <= tail));
        possible == Some(&true) && next().is_some_and(|pattern| pattern.starts_with(tail))
    }
}

/// Finds secrets in a text that comes in pieces, also across their borders. Only what
/// may be the beginning of a secret is held back.
#[derive(Debug)]
pub struct RedactStream {
    redactor: Arc<Redactor>,
    held: Zeroizing<Vec<u8>>,
}

impl RedactStream {
    /// A text that has not begun.
    pub fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor, held: Zeroizing::default() }
    }

    /// What finds the secrets.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// What can be told of the text after its next piece; borrowed where nothing
    /// had to be changed, and then a beginning of `piece`.
    pub fn push<'a>(&mut self, piece: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(finder) = &self.redactor.0 else { return piece.into() };
        if self.held.is_empty() {
            let open = finder.open_from(piece, 0);
            if finder.search.find(piece).is_none_or(|found| found.start() >= open) {
                let (told, held) = piece.split_at_checked(open).unwrap_or((piece, &[]));
                self.held.extend_from_slice(held);
                return told.into();
            }
        }
        self.held.extend_from_slice(piece);
        let mut told = Vec::with_capacity(self.held.len());
        let mut done = 0;
        // A secret that is found may cover what seemed to be the beginning of another.
        let open = loop {
            let open = finder.open_from(&self.held, done);
            match finder.replace(&self.held, done, open, &mut told) {
                Some(end) => done = end,
                None => break open,
            }
        };
        told.extend_from_slice(self.held.get(done..open).unwrap_or_default());
        self.held.drain(..open);
        told.into()
    }

    /// What is left when the text is at its end.
    pub fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        self.redactor.bytes(&held).into_owned()
    }
}

/// The ways in which programs write `secret`, itself first.
fn forms(secret: &[u8]) -> Vec<Pattern> {
    let mut forms = vec![secret.to_vec()];
    forms.extend(base64(secret));
    for form in forms.clone() {
        forms.extend(slashes_escaped(&form));
    }
    forms.extend(json_escaped(secret));
    for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
        forms.push(secret.iter().flat_map(|byte| hex(*byte, digits)).collect());
        forms.extend(KEPT_BY_ENCODERS.iter().map(|kept| percent(secret, kept, digits)));
    }
    forms.into_iter().map(Zeroizing::new).collect()
}

/// Base64 in both alphabets, with and without padding, and as it stands inside of a
/// longer text: there, the characters at its ends also depend on its neighbours.
fn base64(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for (padded, bare) in [(&STANDARD, &STANDARD_NO_PAD), (&URL_SAFE, &URL_SAFE_NO_PAD)] {
        forms.push(padded.encode(secret).into_bytes());
        forms.push(bare.encode(secret).into_bytes());
        for before in 0..3 {
            let shifted = [&vec![0; before], secret].concat();
            let text = bare.encode(&shifted).into_bytes();
            // Of six bits each: the first that is all of the secret, and the one after the last.
            let (start, end) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
            forms.push(text.get(start..end).unwrap_or_default().to_vec());
        }
    }
    forms
}

/// As some encoders write it in JSON: `\/`.
fn slashes_escaped(form: &[u8]) -> Option<Vec<u8>> {
    let escape = |byte: &u8| if *byte == b'/' { vec![b'\\', b'/'] } else { vec![*byte] };
    form.contains(&b'/').then(|| form.iter().flat_map(escape).collect())
}

/// As it stands in a string of JSON, also in ASCII alone.
fn json_escaped(secret: &[u8]) -> Vec<Vec<u8>> {
    let literal = std::str::from_utf8(secret).ok().and_then(|text| serde_json::to_string(text).ok());
    let Some(inner) = literal.as_deref().and_then(|it| it.strip_prefix('"')).and_then(|it| it.strip_suffix('"')) else {
        return Vec::new();
    };
    let mut ascii = String::new();
    for c in inner.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    let plain = [inner.as_bytes().to_vec(), ascii.into_bytes()];
    let slashed: Vec<_> = plain.iter().filter_map(|form| slashes_escaped(form)).collect();
    plain.into_iter().chain(slashed).collect()
}

/// What encoders for URLs leave as it is, besides letters and digits: all of RFC 3986,
/// `encodeURIComponent`, `encodeURI`, forms (`+` for a blank), and one that leaves nothing.
const KEPT_BY_ENCODERS: [&[u8]; 5] = [b"-._~", b"-._~!'()*", b"-._~!'()*;,/?:@&=+$#", b"-._*+", b""];

fn percent(secret: &[u8], kept: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    let form = kept == b"-._*+";
    let mut text = Vec::with_capacity(secret.len() * 3);
    for byte in secret {
        match byte {
            b' ' if form => text.push(b'+'),
            b'+' if form => text.extend(std::iter::once(b'%').chain(hex(*byte, digits))),
            byte if kept.contains(byte) || (!kept.is_empty() && byte.is_ascii_alphanumeric()) => text.push(*byte),
            byte => text.extend(std::iter::once(b'%').chain(hex(*byte, digits))),
        }
    }
    text
}

fn hex(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [byte >> 4, byte & 0xf].map(|nibble| digits.get(usize::from(nibble)).copied().unwrap_or(b'0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "p4ss/w\"ord+é ~";

    fn redactor(secrets: &[(&'static str, &'static [u8])]) -> Arc<Redactor> {
        Arc::new(Redactor::new(secrets.iter().copied()).expect("few"))
    }

    fn written(bytes: &[u8], each: impl Fn(u8) -> String) -> String {
        bytes.iter().map(|byte| each(*byte)).collect::<Vec<_>>().concat()
    }

    fn one() -> Arc<Redactor> {
        redactor(&[("db", SECRET.as_bytes())])
    }

    #[test]
    fn a_text_that_was_cut_ends_before_the_beginning_of_a_secret() {
        let redactor = Redactor::new([("pw", b"hunter2hunter2".as_slice())].into_iter()).expect("one");
        for (text, clean) in [
            ("GET /hunter2hun…", "GET /…"),
            ("GET /hunter2hunter2/x…", "GET /[secret pw]/x…"),
            ("GET /hunter2hun", "GET /hunter2hun"),
            ("GET /x…", "GET /x…"),
        ] {
            let mut cut = text.to_owned();
            redactor.clean_cut(&mut cut);
            assert_eq!(cut, clean, "{text}");
        }
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let lower = written(SECRET.as_bytes(), |byte| format!("{byte:02x}"));
        let json = serde_json::to_string(SECRET).expect("text");
        for form in [
            SECRET.to_owned(),
            lower.to_uppercase(),
            lower,
            STANDARD.encode(SECRET),
            STANDARD_NO_PAD.encode(SECRET),
            URL_SAFE.encode(SECRET),
            URL_SAFE_NO_PAD.encode(SECRET),
            json.trim_matches('"').to_owned(),
            json.trim_matches('"').replace('/', "\\/"),
            json.trim_matches('"').replace('é', "\\u00e9"),
            "p4ss%2Fw%22ord%2B%C3%A9%20~".to_owned(),
            "p4ss%2fw%22ord%2b%c3%a9%20~".to_owned(),
            "p4ss%2Fw%22ord%2B%C3%A9+%7E".to_owned(),
            "p4ss/w%22ord+%C3%A9%20~".to_owned(),
            written(SECRET.as_bytes(), |byte| format!("%{byte:02X}")),
        ] {
            let text = format!("before {form}, after");
            assert_eq!(one().text(&text), "before [secret db], after", "{form}");
        }
    }

    #[test]
    fn base64_is_found_wherever_the_secret_begins() {
        for before in 0..7 {
            for after in 0..4 {
                let text = format!("{}{SECRET}{}", "u".repeat(before), "v".repeat(after));
                for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let clean = one().text(&encoded).into_owned();
                    assert!(clean.contains("[secret db]"), "{before} {after} {encoded}");
                    // Of the secret at most the bits beside its whole characters are left.
                    let outside = (before * 8).div_ceil(6) + (after * 8).div_ceil(6) + 4;
                    assert!(clean.len() <= "[secret db]".len() + outside, "{before} {after} {clean}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_secret_is_left_alone_and_not_copied() {
        for text in ["", "p4ss", "p4ss/w\"or", "hunter2", "[secret db]"] {
            assert!(matches!(one().text(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        let none = Redactor::default();
        assert!(none.is_empty() && matches!(none.text(SECRET), Cow::Borrowed(_)));
        assert_eq!(none.json("1".to_owned()), Ok("1".to_owned()));
    }

    #[test]
    fn of_two_secrets_the_longer_one_is_named() {
        let both = redactor(&[("short", b"abcdefgh"), ("long", b"abcdefghij")]);
        assert_eq!(both.text("abcdefghi abcdefghij"), "[secret short]i [secret long]");
    }

    #[test]
    fn json_stays_json() {
        let value =
            serde_json::json!({ "a": [SECRET, 1, "x"], SECRET: format!("\n{SECRET}\\{SECRET}"), "n": 12_345_678 });
        let clean = one().json(value.to_string()).expect("in strings alone");
        let expected = serde_json::json!(
            { "a": ["[secret db]", 1, "x"], "[secret db]": "\n[secret db]\\[secret db]", "n": 12_345_678 }
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).expect("JSON"), expected);
        let digits = redactor(&[("pin", b"12345678")]);
        assert_eq!(digits.json("[\"12345678\", 9]".to_owned()), Ok("[\"[secret pin]\", 9]".to_owned()));
        assert_eq!(digits.json("[1234567890]".to_owned()), Err(SecretInJson));
        // What looks like the beginning of the secret is the end of an escape.
        let n = redactor(&[("n", b"nabcdefgh")]);
        assert_eq!(n.json("\"\\nabcdefgh\"".to_owned()), Err(SecretInJson));
    }

    #[test]
    fn a_stream_holds_back_only_what_may_be_a_secret() {
        let mut stream = RedactStream::new(redactor(&[("a", b"abcdefgh")]));
        assert!(matches!(stream.push(b"event: 1\n\n"), Cow::Borrowed(b"event: 1\n\n")));
        assert!(matches!(stream.push(b"xyz abc"), Cow::Borrowed(b"xyz ")));
        assert_eq!(&*stream.push(b"de"), b"");
        assert_eq!(&*stream.push(b"fgh!abc"), b"[secret a]!");
        assert_eq!(&*stream.push(b"x"), b"abcx");
        assert_eq!(stream.push(b"abcdefgh").len() + stream.finish().len(), "[secret a]".len());
        assert_eq!(stream.finish(), b"");
    }

    #[test]
    fn a_longer_form_is_waited_for() {
        // The encoded secret, with its padding in the next piece.
        let mut stream = RedactStream::new(redactor(&[("a", b"0123456789")]));
        let encoded = STANDARD.encode("0123456789");
        let (first, second) = encoded.split_at(encoded.len() - 1);
        let told = [stream.push(first.as_bytes()).into_owned(), stream.push(second.as_bytes()).into_owned()];
        assert_eq!([told.concat(), stream.finish()].concat(), b"[secret a]");
    }

    #[test]
    fn a_secret_that_was_cut_off_is_cut_off_whole() {
        assert_eq!(one().without_cut_secret(b"log p4ss/w"), b"log ");
        assert_eq!(one().without_cut_secret(b"log p4ss/x"), b"log p4ss/x");
        assert_eq!(Redactor::default().without_cut_secret(b"p4ss/w"), b"p4ss/w");
    }

    #[test]
    fn it_prints_no_secret() {
        assert!(!format!("{:?}", RedactStream::new(one())).contains("p4ss"));
    }

    proptest! {
        #[test]
        fn in_pieces_or_whole_is_the_same(
            text in "(abcdefgh|abcdefghab|YWJj|[a-h]|[a-h]{3}|YWJjZGVmZ2g=?| ){0,24}",
            cuts in proptest::collection::vec(0_usize..200, 0..12),
        ) {
            let redactor = redactor(&[("a", b"abcdefgh"), ("b", b"abcdefghab"), ("c", b"ghabcdefg")]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut stream = RedactStream::new(Arc::clone(&redactor));
            let (mut told, mut from) = (Vec::new(), 0);
            for cut in cuts.into_iter().chain([text.len()]) {
                told.extend_from_slice(&stream.push(&text.as_bytes()[from..cut]));
                from = cut;
            }
            told.extend(stream.finish());
            prop_assert_eq!(String::from_utf8_lossy(&told), redactor.text(&text));
        }

        #[test]
        fn nothing_of_any_secret_is_left(
            secret in proptest::collection::vec(any::<u8>(), 8..40),
            before in proptest::collection::vec(any::<u8>(), 0..5),
            after in proptest::collection::vec(any::<u8>(), 0..5),
        ) {
            let redactor = Redactor::new([("s", secret.as_slice())].into_iter()).expect("one");
            let whole = [before, secret.clone(), after].concat();
            let lost = |text: &[u8], form: &[u8]| !text.windows(form.len()).any(|window| window == form);
            prop_assert!(lost(&redactor.bytes(&whole), &secret));
            let hex = written(&whole, |byte| format!("{byte:02x}"));
            let own = written(&secret, |byte| format!("{byte:02x}"));
            prop_assert!(lost(redactor.text(&hex).as_bytes(), own.as_bytes()));
            prop_assert!(redactor.text(&STANDARD.encode(&whole)).contains("[secret s]"));
        }
    }
}
