//! Requests by `wasi:http`, without the checks of a library.

use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

use crate::{Tried, name};

/// One request, to be changed before it is sent.
pub struct Attempt<'a> {
    pub method: Method,
    pub scheme: Scheme,
    pub authority: &'a str,
    pub path: &'a str,
    pub fields: Fields,
    pub options: RequestOptions,
}

impl<'a> Attempt<'a> {
    /// `GET http://AUTHORITY/page`.
    pub fn get(authority: &'a str) -> Self {
        Self {
            method: Method::Get,
            scheme: Scheme::Http,
            authority,
            path: "/page",
            fields: Fields::new(),
            options: RequestOptions::new(),
        }
    }

    /// The request, or which part of it the host does not take.
    pub fn request(self) -> Result<(OutgoingRequest, RequestOptions), String> {
        let request = OutgoingRequest::new(self.fields);
        let refused = |part: &str| format!("{part} refused");
        request.set_method(&self.method).map_err(|()| refused("method"))?;
        request.set_scheme(Some(&self.scheme)).map_err(|()| refused("scheme"))?;
        request.set_authority(Some(self.authority)).map_err(|()| refused("authority"))?;
        request.set_path_with_query(Some(self.path)).map_err(|()| refused("path"))?;
        Ok((request, self.options))
    }

    /// Sends the request and waits for the head of the response.
    pub fn send(self) -> Result<IncomingResponse, String> {
        let (request, options) = self.request()?;
        let future = outgoing_handler::handle(request, Some(options)).map_err(name)?;
        head(&future)
    }

    /// Sends the request and answers the status and the body.
    pub fn tried(self) -> Tried {
        let response = self.send()?;
        Ok(format!("{} {}", response.status(), body(&response)?))
    }
}

/// Waits for the head of a response.
pub fn head(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    future.subscribe().block();
    let answer = future.get().expect("it is ready").expect("it is taken once");
    answer.map_err(name)
}

/// The whole body of a response.
pub fn body(response: &IncomingResponse) -> Tried {
    let mut bytes = Vec::new();
    pieces(response, |piece| bytes.extend_from_slice(piece))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Hands the body of a response over, piece by piece.
pub fn pieces(response: &IncomingResponse, mut take: impl FnMut(&[u8])) -> Result<(), String> {
    let body: IncomingBody = response.consume().map_err(|()| "body refused".to_owned())?;
    let stream = body.stream().map_err(|()| "stream refused".to_owned())?;
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(piece) => take(&piece),
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(code.map_or_else(|| error.to_debug_string(), name));
            }
        }
    }
}

/// As the interface counts time.
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
