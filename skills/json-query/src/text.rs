//! Places in a text, and messages that stay short.

use crate::limits::MAX_MESSAGE_CHARS;

/// A place as an editor shows it: line and character, from 1.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

impl Place {
    /// The place of a byte offset. An offset inside a character is that
    /// character's place, for a lexer may stop there.
    pub fn at(text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: count(before.matches('\n')), column: count(before[line_start..].chars()) }
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).map_or(u32::MAX, |n| n.saturating_add(1))
}

/// The text, cut where it is longer than a message may be.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes in all)", &text[..end], text.len()),
    }
}
