//! The dialect of CSV that a caller asks for.

use crate::failure::invalid_request;
use crate::wit::{CsvOptions, Failure};

#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    pub delimiter: u8,
    pub quote: u8,
    pub header: bool,
    pub trim: bool,
}

impl Dialect {
    pub fn new(options: Option<&CsvOptions>) -> Result<Self, Failure> {
        let delimiter = options.and_then(|options| options.delimiter.as_deref());
        let quote = options.and_then(|options| options.quote.as_deref());
        let dialect = Self {
            delimiter: character("delimiter", delimiter.unwrap_or(","))?,
            quote: character("quote", quote.unwrap_or("\""))?,
            header: options.and_then(|options| options.header).unwrap_or(true),
            trim: options.and_then(|options| options.trim).unwrap_or(false),
        };
        match dialect.delimiter == dialect.quote {
            true => Err(invalid_request("the delimiter and the quote are the same character")),
            false => Ok(dialect),
        }
    }
}

fn character(what: &str, text: &str) -> Result<u8, Failure> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(*byte),
        _ => Err(invalid_request(format!("the {what} {text:?} must be one ASCII character that is no line break"))),
    }
}
