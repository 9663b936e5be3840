//! Where a guest's stdout and stderr go: one log of bounded length.
//!
//! Of what a guest writes, the beginning is kept and the rest is counted and
//! dropped. Beyond the call's limit, a write fails like one to a full disk.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_domain::redact::Redactor;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::meter::{Counted, Counters, LimitReached};

/// Bytes of a call's log that are kept: a stack trace and the pages before it.
const MAX_LOG: usize = 64 << 10;

/// Bytes of the end that are kept of a log whose middle was dropped.
const MAX_TAIL: usize = 16 << 10;

/// Bytes of a guest's last words: a traceback.
const MAX_LAST_WORDS: usize = 4 << 10;

/// Bytes that a guest may write at once.
const MAX_WRITE: usize = 64 << 10;

/// The log of one call. Clones write to the same log.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    kept: Arc<Mutex<Kept>>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    /// What was written last, once something was dropped.
    tail: Vec<u8>,
    dropped: u64,
}

impl Log {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { kept: Arc::default(), counters }
    }

    /// What was written, without secrets, and how much of it was dropped.
    pub(crate) fn text(&self, redactor: &Redactor) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = if kept.dropped > 0 { redactor.without_cut_secret(&kept.bytes) } else { &kept.bytes };
        let mut text = String::from_utf8_lossy(&redactor.bytes(whole)).into_owned();
        if kept.dropped > 0 {
            let _ = write!(text, "\n[{} more bytes were dropped]", kept.dropped);
        }
        text
    }

    /// The lines that were written last, without secrets: where a guest ended by a trap,
    /// its language says there why.
    pub(crate) fn last_words(&self, redactor: &Redactor) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the end of the tail is told, so that the rest of a secret which the
        // beginning of the tail cut in two is not.
        let written = if kept.dropped > 0 { &kept.tail } else { &kept.bytes };
        let text = String::from_utf8_lossy(&redactor.bytes(written)).into_owned();
        let text = text.trim_end();
        let from = text.ceil_char_boundary(text.len().saturating_sub(MAX_LAST_WORDS));
        let text = match text.get(from..).and_then(|cut| cut.split_once('\n')) {
            Some((_, whole_lines)) if from > 0 => whole_lines,
            _ => text.get(from..)?,
        };
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Adds a line that the guest logged by another way than stdout and stderr.
    pub(crate) fn line(&self, line: &str) -> Result<(), LimitReached> {
        self.counters.take(Counted::Log, line.len() as u64 + 1)?;
        self.write(line.as_bytes());
        self.write(b"\n");
        Ok(())
    }

    fn write(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_LOG.saturating_sub(kept.bytes.len()).min(bytes.len());
        kept.bytes.extend_from_slice(&bytes[..room]);
        kept.dropped += (bytes.len() - room) as u64;
        if kept.dropped > 0 {
            kept.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(MAX_TAIL)..]);
            let surplus = kept.tail.len().saturating_sub(MAX_TAIL);
            kept.tail.drain(..surplus);
        }
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only newer WASI versions ask for this one, and they are not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {}
}

impl OutputStream for Log {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let counted = self.counters.take(Counted::Log, bytes.len() as u64);
        counted.map_err(|reached| StreamError::LastOperationFailed(reached.into()))?;
        Self::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE)
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::limits::LimitsPolicy;

    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted_and_ends_at_the_limit() {
        let mut limits = LimitsPolicy::default().default;
        limits.log_bytes = 3 * MAX_LOG as u64;
        let mut log = Log::new(Arc::new(Counters::new(&limits)));
        let mut flood = |bytes| OutputStream::write(&mut log, vec![b'x'; bytes].into());
        for _ in 0..3 {
            flood(MAX_LOG).expect("within the limit");
        }
        assert!(matches!(flood(1), Err(StreamError::LastOperationFailed(_))));
        let text = log.text(&Redactor::default());
        assert!(text.len() < MAX_LOG + 100);
        assert!(text.ends_with(&format!("[{} more bytes were dropped]", 2 * MAX_LOG)));
    }

    #[test]
    fn a_log_has_no_secret_not_even_where_it_is_cut() {
        let redactor = Redactor::new([("pin", b"12345678".as_slice())].into_iter()).expect("one");
        let log = Log::new(Arc::new(Counters::new(&LimitsPolicy::default().default)));
        log.write(b"it is 12345678\n");
        log.write(&vec![b'x'; MAX_LOG - 19]);
        assert!(log.text(&redactor).starts_with("it is [secret pin]\nxxx"));
        log.write(b"12345678");
        assert!(log.text(&redactor).ends_with("xxx\n[4 more bytes were dropped]"), "{}", log.text(&redactor));
    }
}
