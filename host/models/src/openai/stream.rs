//! Reads an answer while it comes: a stream of events, or one JSON text from a service
//! that doesn't stream though it was asked to.

use bailiwick_domain::model::{Listener, ModelFailure};

use super::answer::Assembly;
use super::lines::{self, Event, Lines};
use super::wire::Chunk;
use crate::MAX_ANSWER_BYTES;

/// Bytes of an answer as it comes, which for each token has an event of some hundred.
const MAX_WIRE_BYTES: usize = 64 << 20;

/// Bytes of an answer that is one JSON text, where few stand around what is said.
const MAX_WHOLE_BYTES: usize = 2 * MAX_ANSWER_BYTES;

/// Whether there is more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

/// An answer that is under way.
pub(super) struct Reader<'a> {
    listener: &'a dyn Listener,
    form: Form,
    /// Bytes that came.
    bytes: usize,
    answer: Assembly,
    /// It said that it is complete.
    done: bool,
}

/// What it is written in, known by its first character: what services say of the type
/// of their answers isn't always so.
enum Form {
    Unknown,
    Events(Lines),
    Whole(Vec<u8>),
}

impl<'a> Reader<'a> {
    /// An answer that has not begun.
    pub(super) fn new(listener: &'a dyn Listener) -> Self {
        Self { listener, form: Form::Unknown, bytes: 0, answer: Assembly::default(), done: false }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Progress, ModelFailure> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > MAX_WIRE_BYTES {
            return Err(ModelFailure::Nonsense(format!("the answer has more than {MAX_WIRE_BYTES} bytes")));
        }
        let mut bytes = bytes;
        if matches!(self.form, Form::Unknown) {
            bytes = without_lead(bytes);
            match bytes.first() {
                None => return Ok(Progress::More),
                Some(b'{') => self.form = Form::Whole(Vec::new()),
                Some(_) => self.form = Form::Events(Lines::default()),
            }
        }
        match &mut self.form {
            Form::Unknown => {}
            Form::Whole(body) if body.len() + bytes.len() > MAX_WHOLE_BYTES => {
                return Err(ModelFailure::Nonsense(format!("the answer has more than {MAX_WHOLE_BYTES} bytes")));
            }
            Form::Whole(body) => body.extend_from_slice(bytes),
            Form::Events(lines) => {
                while let Some(line) = lines.take_line(&mut bytes)? {
                    match lines::event(&line) {
                        Event::Nothing => {}
                        Event::Data(data) => self.answer.take(parse(data)?, self.listener)?,
                        Event::Done => {
                            self.done = true;
                            return Ok(Progress::Done);
                        }
                    }
                }
            }
        }
        Ok(Progress::More)
    }

    /// The answer, when nothing more comes: because of `cut`, or because that was all.
    /// An answer that is complete stays so, whatever happened after its end.
    pub(super) fn end(mut self, cut: Option<ModelFailure>) -> Result<Assembly, ModelFailure> {
        match self.form {
            Form::Unknown => return Err(cut.unwrap_or_else(|| ModelFailure::BrokenOff("nothing came".to_owned()))),
            Form::Whole(body) => {
                cut.map_or(Ok(()), Err)?;
                self.answer.take(parse(&body)?, self.listener)?;
                self.done = true;
            }
            Form::Events(lines) => {
                let rest = lines.rest();
                // The last line may have come whole, without its end. Part of one is no JSON.
                match lines::event(&rest) {
                    Event::Nothing => {}
                    Event::Done => self.done = true,
                    Event::Data(data) => {
                        if let Ok(chunk) = parse(data) {
                            self.answer.take(chunk, self.listener)?;
                        }
                    }
                }
                if !self.done && !self.answer.is_finished() {
                    let ended = || ModelFailure::BrokenOff("the stream ended before it".to_owned());
                    return Err(cut.unwrap_or_else(ended));
                }
            }
        }
        if self.answer.is_begun() { Ok(self.answer) } else { Err(nothing_said()) }
    }
}

fn nothing_said() -> ModelFailure {
    ModelFailure::Nonsense("it ended without having said anything".to_owned())
}

fn parse(data: &[u8]) -> Result<Chunk, ModelFailure> {
    serde_json::from_slice(data).map_err(|error| ModelFailure::Nonsense(error.to_string()))
}

/// `bytes` without the blanks, and the byte order mark, that may stand before an answer.
fn without_lead(bytes: &[u8]) -> &[u8] {
    let leads = |byte: &u8| byte.is_ascii_whitespace() || b"\xEF\xBB\xBF".contains(byte);
    let start = bytes.iter().position(|byte| !leads(byte)).unwrap_or(bytes.len());
    &bytes[start..]
}
