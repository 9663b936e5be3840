//! Structured logging, by `wasi:logging`: lines of the call's log, and reports to
//! whoever follows the call.

use std::sync::Arc;

use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::services::{LogLevel, Report, Services};
use wasmtime::component::{HasData, Linker};

use super::generated::wasi::logging::logging::{self, Level};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};
use crate::stdio::Log;

/// Bytes of a context that are kept: a name.
const MAX_CONTEXT: usize = 200;

/// Bytes of a message that are passed on. The log has more of it.
const MAX_MESSAGE: usize = 4 << 10;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    logging::add_to_linker::<_, HasLog>(linker, Guest::log_view)
}

struct HasLog;

impl HasData for HasLog {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) log: &'a Log,
    pub(crate) services: &'a Arc<dyn Services>,
    pub(crate) secrets: &'a SecretSet,
    pub(crate) counters: &'a Counters,
}

impl logging::Host for View<'_> {
    /// The interface has no error, so that a flood ends at a limit.
    async fn log(&mut self, level: Level, mut context: String, mut message: String) -> wasmtime::Result<()> {
        self.counters.take(Counted::HostCalls, 1)?;
        context.truncate(context.floor_char_boundary(MAX_CONTEXT));
        let level = self::level(level);
        let name = level.name();
        let line =
            if context.is_empty() { format!("{name}: {message}") } else { format!("{name} {context}: {message}") };
        self.log.line(&line)?;
        let redactor = self.secrets.redactor();
        redactor.clean(&mut context);
        redactor.clean(&mut message);
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        self.services.report(Report::Log { level, context, message });
        Ok(())
    }
}

const fn level(level: Level) -> LogLevel {
    match level {
        Level::Trace => LogLevel::Trace,
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
        Level::Critical => LogLevel::Critical,
    }
}
