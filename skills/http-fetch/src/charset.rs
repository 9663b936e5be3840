//! The text in a body: by its byte order mark, by what the server says, by what
//! the document says about itself, and else by looking.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The kinds of content that matter for reading it as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Html,
    Xml,
    /// Other text: plain, JSON, scripts, and so on.
    Text,
    /// Images, archives, and so on.
    Binary,
    /// The server does not say, or says only that it does not know.
    Unknown,
}

/// How far into a document its own word about its charset counts; HTML sets this.
const PRESCAN_BYTES: usize = 1024;

/// Media types that are text although their names do not begin with `text/`.
const TEXTUAL: [&str; 10] = [
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/sql",
    "application/toml",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "application/yaml",
];

/// Reads a body as text, or answers `None` when it is not text.
pub fn decode(content_type: Option<&str>, body: &[u8]) -> Option<String> {
    match kind(content_type) {
        Kind::Binary => None,
        Kind::Unknown => std::str::from_utf8(complete(body))
            .ok()
            .filter(|text| !text.contains('\0'))
            .map(|text| text.trim_start_matches('\u{feff}').to_owned()),
        kind => Some(decode_text(kind, content_type, body)),
    }
}

/// The kind of content that a `content-type` names.
pub fn kind(content_type: Option<&str>) -> Kind {
    let media_type = content_type.unwrap_or("").split(';').next().unwrap_or("");
    match media_type.trim().to_ascii_lowercase().as_str() {
        "" | "application/octet-stream" | "binary/octet-stream" => Kind::Unknown,
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "text/xml" | "application/xml" => Kind::Xml,
        name if name.ends_with("+xml") => Kind::Xml,
        name if name.starts_with("text/") || name.ends_with("+json") => Kind::Text,
        name if TEXTUAL.contains(&name) => Kind::Text,
        _ => Kind::Binary,
    }
}

/// Reads a body that is known to be HTML.
pub fn decode_html(content_type: Option<&str>, body: &[u8]) -> String {
    decode_text(Kind::Html, content_type, body)
}

/// `decode` of encoding_rs looks for a byte order mark first, as it should.
fn decode_text(kind: Kind, content_type: Option<&str>, body: &[u8]) -> String {
    let announced = content_type.and_then(charset_parameter);
    let encoding = announced.or_else(|| own_charset(kind, body)).unwrap_or_else(|| guess(body));
    encoding.decode(body).0.into_owned()
}

fn charset_parameter(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(())?;
        Encoding::for_label(value.trim().trim_matches(['"', '\'']).as_bytes())
    })
}

/// What a document says near its beginning: `<meta charset=…>`, the same within
/// `http-equiv`, or `encoding=` in the declaration of XML.
fn own_charset(kind: Kind, body: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&body[..body.len().min(PRESCAN_BYTES)]).to_ascii_lowercase();
    let label = match kind {
        Kind::Html => start.split("<meta").skip(1).find_map(|tag| value_after(tag.split('>').next()?, "charset"))?,
        Kind::Xml => {
            let declaration = start.trim_start().strip_prefix("<?xml")?;
            value_after(declaration.split("?>").next()?, "encoding")?
        }
        _ => return None,
    };
    let encoding = Encoding::for_label(label.as_bytes())?;
    // A document whose declaration can be read byte by byte is not in UTF-16.
    Some(encoding.output_encoding())
}

fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(name)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    value.split(|c: char| matches!(c, '"' | '\'' | ';' | '>' | '/') || c.is_whitespace()).next()
}

/// Text that is valid UTF-8 is UTF-8 in practice. The rest is read as browsers
/// read old pages, which never fails.
fn guess(body: &[u8]) -> &'static Encoding {
    match std::str::from_utf8(complete(body)) {
        Ok(_) => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

/// The body without a character at its end that was cut in two.
fn complete(body: &[u8]) -> &[u8] {
    match std::str::from_utf8(body) {
        Err(error) if error.error_len().is_none() => &body[..error.valid_up_to()],
        _ => body,
    }
}
