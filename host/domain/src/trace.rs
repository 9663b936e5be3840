//! W3C trace context: which trace a call belongs to.

use std::fmt;
use std::str::FromStr;

/// A trace id and a span id in it, as the header `traceparent` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// 16 bytes, not all zero.
    pub trace_id: [u8; 16],
    /// 8 bytes, not all zero.
    pub span_id: [u8; 8],
    /// Whether the caller records this trace.
    pub sampled: bool,
}

impl TraceContext {
    /// Where a trace begins that nobody began before. `trace_id` is random. The span follows
    /// from it, so that whoever sees both knows that no span of others stands above.
    pub fn begin(mut trace_id: [u8; 16]) -> Self {
        // All zeros would mean that there is no trace.
        trace_id[15] |= 1;
        Self { trace_id, span_id: first_span(&trace_id), sampled: false }
    }

    /// Whether a trace began so.
    pub fn is_first(&self) -> bool {
        self.span_id == first_span(&self.trace_id)
    }

    /// The trace id as 32 hex digits.
    pub fn trace_id_hex(&self) -> String {
        crate::digest::hex(&self.trace_id)
    }
}

/// The header is not a `traceparent` that this version can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent header")]
pub struct InvalidTraceparent;

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    /// Reads `00-<32 hex>-<16 hex>-<2 hex>`; a higher version may have more fields.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(InvalidTraceparent);
        let (version, trace, span, flags) = (next()?, next()?, next()?, next()?);
        let [version]: [u8; 1] = unhex(version)?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return Err(InvalidTraceparent);
        }
        let (trace_id, span_id) = (unhex(trace)?, unhex(span)?);
        let [flags]: [u8; 1] = unhex(flags)?;
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(InvalidTraceparent);
        }
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = crate::digest::hex(&self.span_id);
        write!(f, "00-{}-{span}-{:02x}", self.trace_id_hex(), u8::from(self.sampled))
    }
}

fn first_span(trace_id: &[u8; 16]) -> [u8; 8] {
    span_id(&[b"trace", trace_id])
}

/// The span id that follows from these parts: the same on every machine, and unlike that of
/// other parts. Each part has its length before it, so that none runs into the next.
pub fn span_id(parts: &[&[u8]]) -> [u8; 8] {
    let mut whole = Vec::with_capacity(parts.iter().map(|part| size_of::<u64>() + part.len()).sum());
    for part in parts {
        whole.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        whole.extend_from_slice(part);
    }
    let hash = crate::digest::Digest::of(&whole);
    let mut id = [0; 8];
    id.copy_from_slice(&hash.as_bytes()[..8]);
    // All zeros would mean that there is no span.
    id[7] |= u8::from(id == [0; 8]);
    id
}

fn unhex<const N: usize>(text: &str) -> Result<[u8; N], InvalidTraceparent> {
    let digits = text.as_bytes();
    let lowercase_hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    if digits.len() != 2 * N || !digits.iter().all(lowercase_hex) {
        return Err(InvalidTraceparent);
    }
    let mut bytes = [0; N];
    let value = |digit: u8| if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 };
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = value(pair[0]) << 4 | value(pair[1]);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_survives() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(text.parse::<TraceContext>().expect("valid").to_string(), text);
    }

    #[test]
    fn a_trace_that_begins_here_is_known_by_its_span() {
        let own = TraceContext::begin([0; 16]);
        assert_ne!(own.trace_id, [0; 16], "all zeros is no trace");
        assert!(own.is_first());
        assert_eq!(own.to_string().parse::<TraceContext>(), Ok(own), "others can read it");
        let others = TraceContext { span_id: [7; 8], ..own };
        assert!(!others.is_first());
    }

    #[test]
    fn spans_follow_from_their_parts_and_from_where_each_ends() {
        assert_eq!(span_id(&[b"a", b"b"]), span_id(&[b"a", b"b"]));
        assert_ne!(span_id(&[b"a", b"b"]), span_id(&[b"ab"]));
        assert_ne!(span_id(&[b"a", b"b"]), span_id(&[b"ab", b""]));
    }

    #[test]
    fn zero_ids_and_odd_forms_are_refused() {
        for bad in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(bad.parse::<TraceContext>().is_err(), "{bad}");
        }
    }
}
