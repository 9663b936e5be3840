use std::fmt;

use wasip2::http::types::ErrorCode;

/// Why there is no response. Each case but one names the authority, which is
/// the host of the URL with its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The host of the skill refused the request: no grant covers it.
    Denied {
        /// Whom the request was for.
        authority: String,
        /// What the refusal was about.
        reason: String,
    },
    /// The request itself is wrong: its URL, a header, its size.
    InvalidRequest(String),
    /// The time was up.
    Timeout {
        /// Whom the request was for.
        authority: String,
        /// What took too long.
        reason: String,
    },
    /// No connection came about, or it broke.
    Connection {
        /// Whom the request was for.
        authority: String,
        /// What happened.
        reason: String,
    },
    /// The connection could not be made secure.
    Tls {
        /// Whom the request was for.
        authority: String,
        /// What happened.
        reason: String,
    },
    /// The body is larger than the request or the host allows.
    TooLarge {
        /// Whom the request was for.
        authority: String,
        /// The size and the limit, as far as they are known.
        reason: String,
    },
    /// The server's answer is not HTTP as it should be, or the host failed.
    Protocol {
        /// Whom the request was for.
        authority: String,
        /// What happened.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Denied { authority, reason } => {
                write!(f, "the request to {authority} was refused: {reason}")
            }
            Error::InvalidRequest(reason) => f.write_str(reason),
            Error::Timeout { authority, reason } => {
                write!(f, "the request to {authority} timed out: {reason}")
            }
            Error::Connection { authority, reason } => {
                write!(f, "the connection to {authority} failed: {reason}")
            }
            Error::Tls { authority, reason } => {
                write!(f, "no secure connection to {authority}: {reason}")
            }
            Error::TooLarge { authority, reason } => {
                write!(f, "the response from {authority} is too large: {reason}")
            }
            Error::Protocol { authority, reason } => {
                write!(f, "the exchange with {authority} failed: {reason}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// The cases of [`Error`] that name an authority, before they do.
enum Case {
    Denied,
    InvalidRequest,
    Timeout,
    Connection,
    Tls,
    TooLarge,
    Protocol,
}

impl Error {
    pub(super) fn from_code(code: ErrorCode, authority: &str) -> Self {
        let (case, reason) = classify(code);
        let authority = authority.to_owned();
        match case {
            Case::Denied => Error::Denied { authority, reason },
            Case::InvalidRequest => Error::InvalidRequest(format!("the request to {authority} is not valid: {reason}")),
            Case::Timeout => Error::Timeout { authority, reason },
            Case::Connection => Error::Connection { authority, reason },
            Case::Tls => Error::Tls { authority, reason },
            Case::TooLarge => Error::TooLarge { authority, reason },
            Case::Protocol => Error::Protocol { authority, reason },
        }
    }
}

fn classify(code: ErrorCode) -> (Case, String) {
    use ErrorCode as E;
    let (case, reason) = match code {
        E::HttpRequestDenied => (Case::Denied, "no grant covers it"),
        E::DestinationIpProhibited => (Case::Denied, "its address is not allowed"),

        E::DnsTimeout => (Case::Timeout, "no answer from DNS"),
        E::ConnectionTimeout => (Case::Timeout, "no connection"),
        E::ConnectionReadTimeout => (Case::Timeout, "the server stopped sending"),
        E::ConnectionWriteTimeout => (Case::Timeout, "the server stopped receiving"),
        E::HttpResponseTimeout => (Case::Timeout, "no response"),

        E::DestinationNotFound => (Case::Connection, "there is no such host"),
        E::DestinationUnavailable => (Case::Connection, "the host is not available"),
        E::DestinationIpUnroutable => (Case::Connection, "no route leads to it"),
        E::ConnectionRefused => (Case::Connection, "it was refused"),
        E::ConnectionTerminated => (Case::Connection, "it broke off"),
        E::ConnectionLimitReached => (Case::Connection, "too many connections"),

        E::TlsProtocolError => (Case::Tls, "TLS failed"),
        E::TlsCertificateError => (Case::Tls, "the certificate is not valid"),

        E::HttpRequestLengthRequired => (Case::InvalidRequest, "it needs a length"),
        E::HttpRequestMethodInvalid => (Case::InvalidRequest, "its method"),
        E::HttpRequestUriInvalid => (Case::InvalidRequest, "its URL"),
        E::HttpRequestUriTooLong => (Case::InvalidRequest, "its URL is too long"),

        E::HttpResponseIncomplete => (Case::Protocol, "the response ended early"),
        E::HttpUpgradeFailed => (Case::Protocol, "an upgrade failed"),
        E::HttpProtocolError => (Case::Protocol, "a violation of HTTP"),
        E::LoopDetected => (Case::Protocol, "a loop"),
        E::ConfigurationError => (Case::Protocol, "the host is not set up for it"),

        detailed => return classify_detailed(detailed),
    };
    (case, reason.to_owned())
}

/// The codes that carry a detail of their own.
fn classify_detailed(code: ErrorCode) -> (Case, String) {
    use ErrorCode as E;
    match code {
        E::DnsError(detail) => (Case::Connection, format!("DNS does not resolve it{}", shown(detail.rcode))),
        E::TlsAlertReceived(alert) => (Case::Tls, format!("the server sent an alert{}", shown(alert.alert_message))),
        E::HttpRequestBodySize(size) => (Case::InvalidRequest, format!("the size of its body{}", shown(size))),
        E::HttpRequestHeaderSectionSize(size) | E::HttpRequestTrailerSectionSize(size) => {
            (Case::InvalidRequest, format!("its headers are too large{}", shown(size)))
        }
        E::HttpRequestHeaderSize(field) => {
            (Case::InvalidRequest, format!("a header is too large{}", shown(field.and_then(|f| f.field_name))))
        }
        E::HttpRequestTrailerSize(field) => {
            (Case::InvalidRequest, format!("a trailer is too large{}", shown(field.field_name)))
        }
        E::HttpResponseBodySize(size) => {
            (Case::TooLarge, format!("the host takes no body of this size{}", shown(size)))
        }
        E::HttpResponseHeaderSectionSize(size) | E::HttpResponseTrailerSectionSize(size) => {
            (Case::TooLarge, format!("the host takes no headers of this size{}", shown(size)))
        }
        E::HttpResponseHeaderSize(field) | E::HttpResponseTrailerSize(field) => {
            (Case::TooLarge, format!("a header is too large{}", shown(field.field_name)))
        }
        E::HttpResponseTransferCoding(coding) => {
            (Case::Protocol, format!("the transfer coding is not known{}", shown(coding)))
        }
        E::HttpResponseContentCoding(coding) => {
            (Case::Protocol, format!("the content coding is not known{}", shown(coding)))
        }
        E::InternalError(Some(detail)) => (Case::Protocol, detail),
        other => (Case::Protocol, format!("{other:?}")),
    }
}

/// A detail in parentheses, or nothing where the host gave none.
fn shown(detail: Option<impl fmt::Display>) -> String {
    detail.map_or_else(String::new, |detail| format!(" ({detail})"))
}
