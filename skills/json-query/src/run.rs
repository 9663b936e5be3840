//! Runs a program over its inputs, up to the limits on results.

use crate::builtins::Data;
use crate::failure::runtime;
use crate::limits::MAX_RESULT_BYTES;
use crate::value;
use crate::wit::Failure;
use jaq_core::{Ctx, Exn, Filter, Vars};
use jaq_json::Val;

/// A compiled filter and the values of its variables.
pub struct Program {
    pub filter: Filter<Data>,
    pub variables: Vec<Val>,
}

/// Results of a whole call, over all its inputs.
pub struct Results {
    pub texts: Vec<String>,
    /// There was more, and it was left out.
    pub truncated: bool,
    raw: bool,
    most: usize,
    bytes: usize,
}

/// Whether the next input shall be looked at.
#[derive(Clone, Copy, PartialEq)]
pub enum Next {
    Go,
    Stop,
}

impl Results {
    pub fn new(raw: bool, most: usize) -> Self {
        Self { texts: Vec::new(), truncated: false, raw, most, bytes: 0 }
    }

    /// Runs the program on one input and adds its results.
    pub fn add(&mut self, program: &Program, input: Val) -> Result<Next, Failure> {
        let variables = Vars::new(program.variables.iter().cloned());
        let context = Ctx::<Data>::new(&program.filter.lut, variables);
        for result in program.filter.id.run((context, input)) {
            let next = match result {
                Ok(value) => self.push(value)?,
                Err(exception) => stopped(exception)?,
            };
            if next == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(Next::Go)
    }

    /// Drops all results but the first `count`, for an input that failed midway.
    pub fn take_back(&mut self, count: usize) {
        let dropped = self.texts.drain(count..);
        self.bytes -= dropped.map(|text| text.len()).sum::<usize>();
    }

    fn push(&mut self, value: Val) -> Result<Next, Failure> {
        if self.texts.len() == self.most {
            self.truncated = true;
            return Ok(Next::Stop);
        }
        let text = match value::to_text(&value, self.raw) {
            Ok(text) => text,
            Err(failure) => {
                // A value that nests too deep to be written also nests too deep
                // to be dropped on this stack; the instance ends with the call.
                std::mem::forget(value);
                return Err(failure);
            }
        };
        if self.bytes + text.len() > MAX_RESULT_BYTES {
            self.truncated = true;
            return Ok(Next::Stop);
        }
        self.bytes += text.len();
        self.texts.push(text);
        Ok(Next::Go)
    }
}

/// What ended a filter before its results did: `halt`, or an error.
fn stopped(exception: Exn<'_, Val>) -> Result<Next, Failure> {
    let exception = match exception.get_err() {
        Ok(error) => return Err(runtime(message(error.into_val()))),
        Err(exception) => exception,
    };
    match exception.get_halt() {
        Ok(0) => Ok(Next::Stop),
        Ok(code) => Err(runtime(format!("the filter halted with exit code {code}"))),
        Err(_) => Err(runtime("the filter broke out of a label that is not around it")),
    }
}

/// The error that jaq gives where jq would make an object or an array.
const BELOW_NULL: &str = "cannot use null as iterable (array or object)";

fn message(error: Val) -> String {
    let text = match error {
        Val::TStr(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => other.to_string(),
    };
    if text == BELOW_NULL {
        return format!("{text}: to assign below null, use `setpath` or make the parent first");
    }
    text
}
