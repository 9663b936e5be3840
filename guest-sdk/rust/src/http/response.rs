use std::borrow::Cow;

/// The response to a request, with its whole body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code, such as 200.
    pub status: u16,
    /// Names and values in the order received. A value that is not UTF-8 is
    /// read as Latin-1, which HTTP once prescribed.
    pub headers: Vec<(String, String)>,
    /// The body as received; the host undoes transfer codings, but no content
    /// coding such as gzip.
    pub body: Vec<u8>,
    /// Whether the body went on beyond `max_response_bytes`. Only a request
    /// with `truncate_large_body` can set this.
    pub truncated: bool,
}

impl Response {
    /// Whether the status is one of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value of the first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Where a redirect leads, as the server wrote it: absolute, or relative to
    /// the URL of the request. `None` when this is no redirect.
    pub fn location(&self) -> Option<&str> {
        match self.status {
            301 | 302 | 303 | 307 | 308 => self.header("location"),
            _ => None,
        }
    }

    /// The body as UTF-8, with U+FFFD for what is not UTF-8. Whoever needs other
    /// charsets decodes [`Response::body`].
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}
