//! Content codings: undoing the gzip that a server put a body in.

use std::io::Read;

use bailiwick_guest::http::Response;
use flate2::read::MultiGzDecoder;

use crate::exchange::Excess;
use crate::exports::bailiwick::http_fetch::tools::Failure;

/// Undoes the content coding of a body. The limit holds for what comes out too,
/// because a few bytes of gzip can become very many.
pub fn decode(mut response: Response, max_bytes: usize, excess: Excess) -> Result<Response, Failure> {
    let coding = response.header("content-encoding").unwrap_or("");
    let coding = coding.trim().to_ascii_lowercase();
    match coding.as_str() {
        "" | "identity" => return Ok(response),
        _ if response.body.is_empty() => return Ok(response),
        "gzip" | "x-gzip" => {}
        _ => {
            return Err(Failure::Protocol(format!(
                "the body has the content coding `{coding}`, and only gzip was asked for"
            )));
        }
    }
    let mut decoded = Vec::new();
    let limit = max_bytes as u64 + 1;
    let outcome = MultiGzDecoder::new(response.body.as_slice()).take(limit).read_to_end(&mut decoded);
    match outcome {
        Ok(_) => {}
        // The end of a body that was cut is missing from its gzip as well.
        Err(_) if response.truncated => {}
        Err(error) => {
            return Err(Failure::Protocol(format!("the body is not the gzip that it should be: {error}")));
        }
    }
    if decoded.len() > max_bytes {
        if excess == Excess::Fail {
            return Err(Failure::TooLarge(format!("the body is larger than {max_bytes} bytes once it is unpacked")));
        }
        decoded.truncate(max_bytes);
        response.truncated = true;
    }
    response.body = decoded;
    Ok(response)
}
