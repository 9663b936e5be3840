//! Server-sent events, as far as these services use them: one `data:` line an event.

use std::mem;

use bailiwick_domain::model::ModelFailure;

use crate::MAX_ANSWER_BYTES;

/// Bytes of the longest line: an answer of the largest size in one piece.
const MAX_LINE_BYTES: usize = MAX_ANSWER_BYTES;

/// The lines of a text that comes in pieces. They end with `\n`, `\r`, or both: between
/// those two is then an empty line, which says nothing.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// Nothing that is read here: a comment, another field, no field.
    Nothing,
    /// A JSON text.
    Data(&'a [u8]),
    /// The answer is complete.
    Done,
}

impl Lines {
    /// The next line that ends in `bytes`, without its end, taken off them. Without one
    /// they are kept as its beginning.
    pub(super) fn take_line(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, ModelFailure> {
        let all = *bytes;
        let end = all.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (head, tail) = end.map_or((all, &b""[..]), |end| (&all[..end], &all[end + 1..]));
        if self.line.len() + head.len() > MAX_LINE_BYTES {
            return Err(ModelFailure::Nonsense(format!("a line has more than {MAX_LINE_BYTES} bytes")));
        }
        self.line.extend_from_slice(head);
        *bytes = tail;
        Ok(end.map(|_| mem::take(&mut self.line)))
    }

    /// What stands behind the last line's end.
    pub(super) fn rest(self) -> Vec<u8> {
        self.line
    }
}

/// Reads a line.
pub(super) fn event(line: &[u8]) -> Event<'_> {
    match line.strip_prefix(b"data:").map(<[u8]>::trim_ascii) {
        None | Some(b"") => Event::Nothing,
        Some(b"[DONE]") => Event::Done,
        Some(data) => Event::Data(data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_three_ways_and_pieces_join() {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in [&b"one\r\ntwo"[..], b"", b" more\r", b"\nthree\n\nfo", b"ur"] {
            let mut bytes = piece;
            while let Some(line) = lines.take_line(&mut bytes).expect("short") {
                found.push(String::from_utf8(line).expect("text"));
            }
        }
        found.retain(|line| !line.is_empty());
        assert_eq!(found, ["one", "two more", "three"]);
        assert_eq!(lines.rest(), b"four");
    }

    #[test]
    fn only_data_is_read() {
        assert_eq!(event(b"data: {}"), Event::Data(b"{}"));
        assert_eq!(event(b"data:{}"), Event::Data(b"{}"));
        assert_eq!(event(b"data: [DONE] "), Event::Done);
        for nothing in [&b": PROCESSING"[..], b"", b"event: message", b"id: 7", b"retry: 3", b"data", b"data: "] {
            assert_eq!(event(nothing), Event::Nothing);
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; MAX_LINE_BYTES];
        assert_eq!(lines.take_line(&mut piece.as_slice()), Ok(None));
        assert!(matches!(lines.take_line(&mut &b"x"[..]), Err(ModelFailure::Nonsense(_))));
    }
}
