//! JSON text to values, strictly by RFC 8259 and with a place for every error.

use crate::failure::{invalid_json, too_large};
use crate::json::{Json, Member};
use crate::limits::{MAX_DEPTH, MAX_TEXT_BYTES};
use crate::text::Place;
use crate::wit::Failure;
use hifijson::escape::Error as Escape;
use hifijson::num::LexWrite as _;
use hifijson::str::{Error as StringError, LexAlloc as _};
use hifijson::token::Lex as _;
use hifijson::{Read as _, SliceLexer};

/// Reads exactly one value. `source` names the text in errors.
pub fn one(source: &str, text: &str) -> Result<Json, Failure> {
    let mut reader = Reader::new(source, text)?;
    let value = reader.value()?;
    match reader.lexer.ws_peek() {
        None => Ok(value),
        Some(_) => Err(reader.problem("expected the end of the text after the value")),
    }
}

/// Reads the values that stand one after the other in a text.
pub fn many<'a>(source: &'a str, text: &'a str) -> Result<Values<'a>, Failure> {
    Ok(Values(Reader::new(source, text)?))
}

/// Refuses a text that is too long to be read.
pub fn check_size(source: &str, text: &str) -> Result<(), Failure> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(too_large(format!("{source} has {} bytes; at most {MAX_TEXT_BYTES} are read", text.len())));
    }
    Ok(())
}

/// Iterator over the values of a text. After an error it must be dropped.
pub struct Values<'a>(Reader<'a>);

impl Iterator for Values<'_> {
    type Item = Result<Json, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.lexer.ws_peek()?;
        Some(self.0.value())
    }
}

struct Reader<'a> {
    source: &'a str,
    text: &'a str,
    lexer: SliceLexer<'a>,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str, text: &'a str) -> Result<Self, Failure> {
        check_size(source, text)?;
        Ok(Self { source, text, lexer: SliceLexer::new(text.as_bytes()), depth: 0 })
    }

    fn value(&mut self) -> Result<Json, Failure> {
        match self.lexer.ws_peek() {
            None => Err(self.problem("expected a value, but the text ends")),
            Some(b'n') => self.literal(b"null", Json::Null),
            Some(b't') => self.literal(b"true", Json::Bool(true)),
            Some(b'f') => self.literal(b"false", Json::Bool(false)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'"') => self.string().map(Json::String),
            Some(b'[') => self.nested(Self::array),
            Some(b'{') => self.nested(Self::object),
            Some(_) => Err(self.problem(&format!("expected a value, but found {}", self.found()))),
        }
    }

    fn literal(&mut self, word: &[u8], value: Json) -> Result<Json, Failure> {
        let word_follows = self.lexer.as_slice().starts_with(word);
        if !word_follows {
            return Err(self.problem(&format!("expected a value, but found {}", self.found())));
        }
        self.lexer.strip_prefix(word);
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, Failure> {
        let lexed = self.lexer.num_string().validated();
        let (text, _) = lexed.map_err(|_| self.problem("expected a digit in a number"))?;
        match self.lexer.peek_next() {
            Some(b'0'..=b'9') => Err(self.problem("a number may not begin with 0")),
            _ => Ok(Json::Number(text.into())),
        }
    }

    fn string(&mut self) -> Result<Box<str>, Failure> {
        let start = self.offset();
        match self.lexer.discarded().str_string() {
            Ok(text) => Ok(text.into()),
            Err(error) => {
                // The lexer has taken the byte that it objects to. A string
                // without end is best shown where it begins.
                let end = self.offset().saturating_sub(1);
                let offset = if unclosed(&error) { start } else { end };
                let place = Place::at(self.text, offset);
                Err(invalid_json(self.source, string_message(&error), place))
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, Failure>) -> Result<Json, Failure> {
        if self.depth == MAX_DEPTH {
            let place = self.place();
            return Err(too_large(format!(
                "{} nests deeper than {MAX_DEPTH} levels at line {}, column {}",
                self.source, place.line, place.column
            )));
        }
        self.depth += 1;
        self.lexer.take_next();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Result<Json, Failure> {
        let mut items = Vec::new();
        if self.closes(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value()?);
            if !self.continues(b']', "expected `,` or `]` after an element")? {
                return Ok(Json::Array(items));
            }
        }
    }

    fn object(&mut self) -> Result<Json, Failure> {
        let mut members = Vec::new();
        if self.closes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            members.push(self.member()?);
            if !self.continues(b'}', "expected `,` or `}` after a member")? {
                return Ok(Json::Object(members));
            }
        }
    }

    fn member(&mut self) -> Result<Member, Failure> {
        if self.lexer.ws_peek() != Some(b'"') {
            let found = self.found();
            return Err(self.problem(&format!("expected a key in quotes, but found {found}")));
        }
        let key = self.string()?;
        if self.lexer.ws_peek() != Some(b':') {
            let found = self.found();
            return Err(self.problem(&format!("expected `:` after a key, but found {found}")));
        }
        self.lexer.take_next();
        Ok((key, self.value()?))
    }

    fn closes(&mut self, end: u8) -> bool {
        let closes = self.lexer.ws_peek() == Some(end);
        if closes {
            self.lexer.take_next();
        }
        closes
    }

    fn continues(&mut self, end: u8, expected: &str) -> Result<bool, Failure> {
        match self.lexer.ws_peek() {
            Some(b',') => {
                self.lexer.take_next();
                Ok(true)
            }
            Some(next) if next == end => {
                self.lexer.take_next();
                Ok(false)
            }
            _ => Err(self.problem(&format!("{expected}, but found {}", self.found()))),
        }
    }

    fn offset(&self) -> usize {
        self.text.len() - self.lexer.as_slice().len()
    }

    fn place(&self) -> Place {
        Place::at(self.text, self.offset())
    }

    fn problem(&self, message: &str) -> Failure {
        invalid_json(self.source, message, self.place())
    }

    fn found(&self) -> String {
        match self.text.get(self.offset()..).and_then(|rest| rest.chars().next()) {
            None => "the end of the text".to_owned(),
            Some(c) => format!("{c:?}"),
        }
    }
}

fn unclosed(error: &StringError) -> bool {
    matches!(error, StringError::Eof | StringError::Escape(Escape::Eof))
}

fn string_message(error: &StringError) -> &'static str {
    match error {
        StringError::Control => "a control character in a string must be escaped, such as \\n",
        StringError::Eof | StringError::Escape(Escape::Eof) => "a string is not closed",
        StringError::Escape(Escape::InvalidKind(_)) => {
            "after a backslash in a string, expected one of \" \\ / b f n r t u"
        }
        StringError::Escape(Escape::InvalidHex(_)) => "expected four hexadecimal digits after \\u in a string",
        StringError::Escape(Escape::InvalidChar(_) | Escape::ExpectedLowSurrogate) => {
            "a \\u escape in a string is half of a surrogate pair"
        }
        StringError::Utf8(_) => "a string is not UTF-8",
    }
}
