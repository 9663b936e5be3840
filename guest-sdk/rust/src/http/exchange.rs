//! One request and its response, in the terms of `wasi:http`.

use std::time::Duration;

use wasip2::clocks::monotonic_clock;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    self, Fields, FutureIncomingResponse, HeaderError, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::StreamError;

use super::target::Target;
use super::{Error, Method, Request, Response};

/// How much is asked of a body at once: large enough that the calls into the
/// host cost little, small enough to waste little memory.
const READ_CHUNK: u64 = 64 * 1024;

pub(super) fn exchange(request: &Request) -> Result<Response, Error> {
    let target = Target::parse(&request.url)?;
    let deadline = Deadline::after(request.timeout, &target.authority);
    let outgoing = outgoing_request(request, &target)?;
    let body = match &request.body {
        Some(bytes) if !bytes.is_empty() => {
            let body = outgoing.body().map_err(|()| deadline.failed("the host takes no body"))?;
            Some((body, bytes))
        }
        _ => None,
    };
    let future = outgoing_handler::handle(outgoing, Some(options(request)))
        .map_err(|code| Error::from_code(code, &target.authority))?;
    if let Some((body, bytes)) = body {
        write_body(body, bytes, &deadline)?;
    }
    let incoming = wait_for_head(&future, &deadline)?;
    read_response(request, &incoming, &deadline)
}

/// The moment by which everything must be over, and for whom.
struct Deadline<'a> {
    reached: Pollable,
    timeout: Duration,
    authority: &'a str,
}

impl<'a> Deadline<'a> {
    fn after(timeout: Duration, authority: &'a str) -> Self {
        let nanoseconds = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Self { reached: monotonic_clock::subscribe_duration(nanoseconds), timeout, authority }
    }

    /// Waits until `event` happens. The deadline goes first, so that a server
    /// which always has one more byte cannot outlast it.
    fn wait(&self, event: &Pollable) -> Result<(), Error> {
        let happened = poll(&[&self.reached, event]);
        if !happened.contains(&0) {
            return Ok(());
        }
        Err(Error::Timeout {
            authority: self.authority.to_owned(),
            reason: format!("not finished within {} ms", self.timeout.as_millis()),
        })
    }

    fn failed(&self, reason: &str) -> Error {
        Error::Protocol { authority: self.authority.to_owned(), reason: reason.to_owned() }
    }
}

fn outgoing_request(request: &Request, target: &Target) -> Result<OutgoingRequest, Error> {
    let outgoing = OutgoingRequest::new(fields(request)?);
    let scheme = if target.https { Scheme::Https } else { Scheme::Http };
    outgoing
        .set_method(&method(request.method))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(&target.authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&target.path_with_query)))
        .map_err(|()| Error::InvalidRequest(format!("the host does not take the URL `{}`", request.url)))?;
    Ok(outgoing)
}

fn fields(request: &Request) -> Result<Fields, Error> {
    let fields = Fields::new();
    let append = |name: &str, value: &[u8]| {
        fields.append(name, value).map_err(|error| {
            let why = match error {
                HeaderError::InvalidSyntax => "its name or value is not valid",
                HeaderError::Forbidden => "a skill may not set it",
                HeaderError::Immutable => "the host does not take it",
            };
            Error::InvalidRequest(format!("the header `{name}` cannot be sent: {why}"))
        })
    };
    for (name, value) in &request.headers {
        append(name, value)?;
    }
    if let Some(body) = &request.body
        && !fields.has("content-length")
    {
        append("content-length", body.len().to_string().as_bytes())?;
    }
    Ok(fields)
}

fn method(method: Method) -> types::Method {
    match method {
        Method::Get => types::Method::Get,
        Method::Head => types::Method::Head,
        Method::Post => types::Method::Post,
        Method::Put => types::Method::Put,
        Method::Patch => types::Method::Patch,
        Method::Delete => types::Method::Delete,
        Method::Options => types::Method::Options,
    }
}

/// A host need not support these timeouts, so their refusal is no error: the
/// deadline holds in any case.
fn options(request: &Request) -> RequestOptions {
    let within = |timeout: Option<Duration>| {
        let timeout = timeout.unwrap_or(request.timeout).min(request.timeout);
        Some(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
    };
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(within(request.connect_timeout));
    let _ = options.set_first_byte_timeout(within(None));
    let _ = options.set_between_bytes_timeout(within(request.between_bytes_timeout));
    options
}

/// Sends the body. A server may answer, and stop listening, before it has all of
/// it; so a stream that breaks is no error here, and the response decides.
fn write_body(body: OutgoingBody, mut bytes: &[u8], deadline: &Deadline) -> Result<(), Error> {
    let stream = body.write().map_err(|()| deadline.failed("the host takes no body"))?;
    let writable = stream.subscribe();
    let mut flushing = false;
    loop {
        deadline.wait(&writable)?;
        let Ok(permitted) = stream.check_write() else {
            return Ok(());
        };
        if flushing && permitted > 0 {
            break;
        }
        let permitted = usize::try_from(permitted).unwrap_or(usize::MAX);
        let (now, later) = bytes.split_at(bytes.len().min(permitted));
        if !now.is_empty() && stream.write(now).is_err() {
            return Ok(());
        }
        bytes = later;
        if bytes.is_empty() && !flushing {
            flushing = true;
            if stream.flush().is_err() {
                return Ok(());
            }
        }
    }
    drop(writable);
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|code| Error::from_code(code, deadline.authority))
}

fn wait_for_head(future: &FutureIncomingResponse, deadline: &Deadline) -> Result<IncomingResponse, Error> {
    let arrived = future.subscribe();
    loop {
        match future.get() {
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(Error::from_code(code, deadline.authority)),
            Some(Err(())) => return Err(deadline.failed("the response was already taken")),
            None => deadline.wait(&arrived)?,
        }
    }
}

fn read_response(request: &Request, incoming: &IncomingResponse, deadline: &Deadline) -> Result<Response, Error> {
    let headers = incoming.headers().entries().into_iter().map(|(name, value)| (name, header_text(value))).collect();
    let mut response = Response { status: incoming.status(), headers, body: Vec::new(), truncated: false };
    if request.method != Method::Head {
        check_announced_size(request, &response, deadline)?;
        let body = incoming.consume().map_err(|()| deadline.failed("the host gives no body"))?;
        (response.body, response.truncated) = read_body(request, &body, deadline)?;
    }
    Ok(response)
}

/// A body that says itself that it is too large need not be read first.
fn check_announced_size(request: &Request, response: &Response, deadline: &Deadline) -> Result<(), Error> {
    let announced: Option<u64> = response.header("content-length").and_then(|length| length.parse().ok());
    match announced {
        Some(length) if length > request.max_response_bytes as u64 && !request.truncate => {
            Err(too_large(request, deadline, &format!("{length} bytes")))
        }
        _ => Ok(()),
    }
}

fn read_body(request: &Request, body: &IncomingBody, deadline: &Deadline) -> Result<(Vec<u8>, bool), Error> {
    let stream = body.stream().map_err(|()| deadline.failed("the host gives no body"))?;
    let readable = stream.subscribe();
    let limit = request.max_response_bytes;
    let mut bytes = Vec::new();
    loop {
        deadline.wait(&readable)?;
        // One byte more than the limit is enough to know that it was passed.
        let room = (limit - bytes.len()) as u64 + 1;
        match stream.read(room.min(READ_CHUNK)) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok((bytes, false)),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match types::http_error_code(&error) {
                    Some(code) => Error::from_code(code, deadline.authority),
                    None => deadline.failed(&error.to_debug_string()),
                });
            }
        }
        if bytes.len() > limit {
            if !request.truncate {
                return Err(too_large(request, deadline, "the body goes on"));
            }
            bytes.truncate(limit);
            return Ok((bytes, true));
        }
    }
}

fn too_large(request: &Request, deadline: &Deadline, size: &str) -> Error {
    Error::TooLarge {
        authority: deadline.authority.to_owned(),
        reason: format!("{size}, and the limit is {} bytes", request.max_response_bytes),
    }
}

fn header_text(value: Vec<u8>) -> String {
    String::from_utf8(value).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}
