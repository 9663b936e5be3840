//! Values to JSON text.

use crate::failure::too_large;
use crate::json::{Json, Member};
use crate::limits::MAX_OUTPUT_BYTES;
use crate::wit::Failure;

/// How a value is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Spaces for each level; `None` puts all on one line without spaces.
    pub indent: Option<usize>,
    pub sort_keys: bool,
}

/// Everything on one line, members in order.
pub const COMPACT: Layout = Layout { indent: None, sort_keys: false };

/// Writes a value, which the reader has kept within the depth limit.
pub fn text(value: &Json, layout: Layout) -> Result<String, Failure> {
    let mut out = String::new();
    Writer { layout, out: &mut out }.value(value, 0)?;
    Ok(out)
}

/// Appends a string with its quotes, escaping only what must be.
pub fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Writer<'a> {
    layout: Layout,
    out: &'a mut String,
}

impl Writer<'_> {
    fn value(&mut self, value: &Json, level: usize) -> Result<(), Failure> {
        match value {
            Json::Null => self.out.push_str("null"),
            Json::Bool(true) => self.out.push_str("true"),
            Json::Bool(false) => self.out.push_str("false"),
            Json::Number(text) => self.out.push_str(text),
            Json::String(text) => string(text, self.out),
            Json::Array(items) => self.array(items, level)?,
            Json::Object(members) => self.object(members, level)?,
        }
        if self.out.len() > MAX_OUTPUT_BYTES {
            return Err(too_large(format!("the result has more than {MAX_OUTPUT_BYTES} bytes")));
        }
        Ok(())
    }

    fn array(&mut self, items: &[Json], level: usize) -> Result<(), Failure> {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            self.separate(index, level + 1);
            self.value(item, level + 1)?;
        }
        self.close(items.is_empty(), level, ']');
        Ok(())
    }

    fn object(&mut self, members: &[Member], level: usize) -> Result<(), Failure> {
        let mut ordered: Vec<&Member> = members.iter().collect();
        if self.layout.sort_keys {
            ordered.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        self.out.push('{');
        for (index, (key, value)) in ordered.into_iter().enumerate() {
            self.separate(index, level + 1);
            string(key, self.out);
            let colon = if self.layout.indent.is_some() { ": " } else { ":" };
            self.out.push_str(colon);
            self.value(value, level + 1)?;
        }
        self.close(members.is_empty(), level, '}');
        Ok(())
    }

    fn separate(&mut self, index: usize, level: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.new_line(level);
    }

    fn close(&mut self, empty: bool, level: usize, bracket: char) {
        if !empty {
            self.new_line(level);
        }
        self.out.push(bracket);
    }

    fn new_line(&mut self, level: usize) {
        if let Some(spaces) = self.layout.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', spaces * level));
        }
    }
}
