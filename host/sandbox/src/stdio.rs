//! Where a guest's stdout and stderr go: one log of bounded length.
//!
//! A guest that writes more than is kept is not ended for it; what is too
//! much is counted and dropped, so that a flood costs the guest its own time only.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_domain::redact::Redactor;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes of a call's log that are kept: a stack trace and the pages before it.
const MAX_LOG: usize = 64 << 10;

/// Bytes that a guest may write at once.
const MAX_WRITE: usize = 64 << 10;

/// The log of one call. Clones write to the same log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    dropped: u64,
}

impl Log {
    /// What was written, without secrets, and how much of it was dropped.
    pub(crate) fn text(&self, redactor: &Redactor) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = if kept.dropped > 0 { redactor.without_cut_secret(&kept.bytes) } else { &kept.bytes };
        let mut text = String::from_utf8_lossy(&redactor.bytes(whole)).into_owned();
        if kept.dropped > 0 {
            let _ = write!(text, "\n[{} more bytes were dropped]", kept.dropped);
        }
        text
    }

    fn write(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_LOG.saturating_sub(kept.bytes.len()).min(bytes.len());
        kept.bytes.extend_from_slice(&bytes[..room]);
        kept.dropped += (bytes.len() - room) as u64;
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
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let log = Log::default();
        for _ in 0..3 {
            log.write(&vec![b'x'; MAX_LOG]);
        }
        let text = log.text(&Redactor::default());
        assert!(text.len() < MAX_LOG + 100);
        assert!(text.ends_with(&format!("[{} more bytes were dropped]", 2 * MAX_LOG)));
    }

    #[test]
    fn a_log_has_no_secret_not_even_where_it_is_cut() {
        let redactor = Redactor::new([("pin", b"12345678".as_slice())].into_iter()).expect("one");
        let log = Log::default();
        log.write(b"it is 12345678\n");
        log.write(&vec![b'x'; MAX_LOG - 19]);
        assert!(log.text(&redactor).starts_with("it is [secret pin]\nxxx"));
        log.write(b"12345678");
        assert!(log.text(&redactor).ends_with("xxx\n[4 more bytes were dropped]"), "{}", log.text(&redactor));
    }
}
