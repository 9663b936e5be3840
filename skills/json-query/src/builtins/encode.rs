//! What `@html`, `@uri`, `@base64` and their inverses are defined by.

use super::Table;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use jaq_core::Error;
use jaq_core::native::{bome, v};
use jaq_json::Val;
use jaq_std::ValT as _;

/// Characters that HTML gives a meaning, with `&` first so that escaping does
/// not escape its own output.
const HTML: [(&str, &str); 5] = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ("\"", "&quot;")];

/// Writes the padding, and reads texts with and without it, as jq does.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub fn table() -> Table<6> {
    [
        ("escape_html", v(0), |cv| bome(map_text(&cv.1, escape_html))),
        ("unescape_html", v(0), |cv| bome(map_text(&cv.1, unescape_html))),
        ("encode_uri", v(0), |cv| bome(map_bytes(&cv.1, |bytes| Ok(encode_uri(bytes))))),
        ("decode_uri", v(0), |cv| bome(map_bytes(&cv.1, |bytes| Ok(decode_uri(bytes))))),
        ("encode_base64", v(0), |cv| bome(map_bytes(&cv.1, |bytes| Ok(BASE64.encode(bytes).into_bytes())))),
        ("decode_base64", v(0), |cv| bome(map_bytes(&cv.1, |bytes| BASE64.decode(bytes).map_err(|e| e.to_string())))),
    ]
}

fn map_text(value: &Val, f: fn(&str) -> String) -> Result<Val, Error<Val>> {
    map_bytes(value, |bytes| {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        Ok(f(text).into_bytes())
    })
}

fn map_bytes(value: &Val, f: impl FnOnce(&[u8]) -> Result<Vec<u8>, String>) -> Result<Val, Error<Val>> {
    let bytes = value.as_utf8_bytes().ok_or_else(|| Error::typ(value.clone(), "string"))?;
    f(bytes).map(Val::utf8_str).map_err(Error::str)
}

fn escape_html(text: &str) -> String {
    HTML.iter().fold(text.to_owned(), |text, (plain, escaped)| text.replace(plain, escaped))
}

fn unescape_html(text: &str) -> String {
    let text = text.replace("&apos;", "'");
    HTML.iter().rev().fold(text, |text, (plain, escaped)| text.replace(escaped, plain))
}

fn encode_uri(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte),
            other => encoded.extend_from_slice(format!("%{other:02X}").as_bytes()),
        }
    }
    encoded
}

/// A percent sign without two hexadecimal digits stays as it is.
fn decode_uri(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let escape = (first == b'%').then(|| tail.get(..2)).flatten().and_then(hex);
        rest = match escape {
            Some(byte) => {
                decoded.push(byte);
                &tail[2..]
            }
            None => {
                decoded.push(first);
                tail
            }
        };
    }
    decoded
}

fn hex(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}
