//! The seam before the sandbox: what the rest of the host asks of it.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::component::{ComponentError, Inspection};
use crate::digest::Digest;
use crate::permit::Permit;
use crate::receipt::Denial;
use crate::run::RunId;
use crate::services::Services;
use crate::usage::Usage;

/// A future that can be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs components, and nothing without a permit.
pub trait Sandbox: Send + Sync + 'static {
    /// Reads, compiles where needed, and describes the component at `path`.
    ///
    /// Blocks, for seconds where a large component has to be compiled. Compiled
    /// code is kept on disk, so that the next time takes well under a millisecond.
    fn load(&self, path: &Path) -> Result<Arc<Inspection>, ComponentError>;

    /// Whether [`Sandbox::load`] answers at once: the code is on disk, or there is little
    /// of it. Blocks for as long as the file takes to read.
    fn is_quick(&self, path: &Path) -> bool;

    /// Forgets compiled code of all components but `digests`. Calls under way go on.
    fn retain(&self, digests: &dyn Fn(&Digest) -> bool);

    /// A folder that nobody else has, beside those of calls. It is never kept, however
    /// long those are. Blocks.
    fn scratch(&self) -> std::io::Result<Box<dyn ScratchFolder>>;

    /// Calls the function at index `tool` of the inspection of the permit's digest
    /// in an instance of its own: a tool, or behind those, what the skill provides.
    fn invoke<'a>(
        &'a self,
        permit: Permit,
        tool: usize,
        arguments: &'a Value,
        services: Arc<dyn Services>,
    ) -> BoxFuture<'a, Outcome>;

    /// Takes away what calls of a run shared, which is over. A sandbox whose calls share
    /// nothing has nothing to take away.
    fn end_run<'a>(&'a self, _run: &'a RunId) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Runs whose calls have left something that lasts. Blocks.
    fn runs(&self) -> Vec<RunId> {
        Vec::new()
    }
}

/// A folder of the host's own. Dropping it ends it, some time later.
pub trait ScratchFolder: Send + Sync {
    /// Where it is: absolute, without symlinks.
    fn path(&self) -> &Path;

    /// Ends it, and waits until it is gone.
    fn end(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// How an invocation ended, with what it cost in any case.
#[derive(Debug)]
pub struct Outcome {
    /// What came back.
    pub result: Result<Output, InvokeError>,
    /// What it cost.
    pub usage: Usage,
    /// What the host refused while the guest ran; at most [`MAX_DENIALS`].
    pub denials: Vec<Denial>,
    /// What the guest made use of, of all that it was allowed: a capability and what of
    /// it, such as `http GET https://example.com:443`; at most [`MAX_USES`].
    pub used: Vec<String>,
    /// What the guest wrote to stdout and stderr, cut at a limit.
    pub log: String,
}

/// Uses kept of one call: more than any grant has terms, as a rule.
pub const MAX_USES: usize = 64;

impl Outcome {
    /// The outcome of a call that never began.
    pub const fn failed(error: InvokeError, usage: Usage) -> Self {
        Self { result: Err(error), usage, denials: Vec::new(), used: Vec::new(), log: String::new() }
    }
}

/// Denials kept of one call: enough to see what a skill is after.
pub const MAX_DENIALS: usize = 32;

/// What a tool gave back, as JSON text by its types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The tool succeeded.
    Success(String),
    /// The tool answered its own failure (`err` of a `result`).
    Failure(String),
}

/// Why there is no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The arguments don't fit the types. Path is a JSON Pointer.
    #[error("{path}: {problem}", path = if .path.is_empty() { "/" } else { .path.as_str() })]
    Arguments {
        /// JSON Pointer into the arguments.
        path: String,
        /// `expected f64, found string`.
        problem: String,
    },
    /// The permit was made by another policy, or for other bytes.
    #[error("the sandbox was called without a valid permit")]
    NoPermit,
    /// The code of the digest is not loaded.
    #[error("the component is not loaded: {0}")]
    NotLoaded(String),
    /// Every instance slot is taken, or other calls had the workspace until the call's time was over.
    #[error("every instance slot of the sandbox is taken, or other calls have the call's workspace")]
    Full,
    /// A granted folder can't be opened.
    #[error("the granted folder `{root}` can't be opened: {reason}")]
    Mount {
        /// As the guest would see it.
        root: String,
        /// What the system said, without the host's path.
        reason: String,
    },
    /// The deadline passed, in the guest or in a host call.
    #[error("the call was ended at its deadline of {millis} ms")]
    Deadline {
        /// The limit.
        millis: u64,
    },
    /// The fuel ran out.
    #[error("the call used up its fuel of {0} units")]
    Fuel(u64),
    /// The guest asked for more memory than allowed, then failed.
    #[error("the call needed more than its {0} bytes of memory")]
    Memory(u64),
    /// The arguments are larger than allowed.
    #[error("the arguments are larger than the limit of {0} bytes")]
    InputTooLarge(u64),
    /// Another limit was reached, in a host call that has no error for that or by
    /// a guest that then failed.
    #[error("the call reached its limit `{limit}` of {max}")]
    Limit {
        /// The key of the limit, as in a manifest: `random`.
        limit: &'static str,
        /// The limit, in bytes where it counts bytes.
        max: u64,
    },
    /// The output is larger than allowed.
    #[error("the output is larger than the limit of {0} bytes")]
    OutputTooLarge(u64),
    /// The guest called `exit`.
    #[error("the guest ended itself with status {status} before it answered{}", quote(said.as_deref()))]
    Exit {
        /// What it ended itself with.
        status: i32,
        /// What it had written last.
        said: Option<String>,
    },
    /// The guest trapped.
    #[error("the guest trapped: {message}{}{}", place(message, said.is_some(), backtrace), quote(said.as_deref()))]
    Trap {
        /// What the engine says, e.g. `wasm trap: wasm `unreachable` instruction executed`.
        message: String,
        /// Function names of the guest, innermost first, where the component has them.
        backtrace: Vec<String>,
        /// What it had written last, which is where languages say why: the message of a
        /// panic, the traceback of an exception.
        said: Option<String>,
    },
    /// The value that came back breaks the rules of its type.
    #[error("the guest returned an invalid value: {0}")]
    InvalidOutput(String),
    /// The host's own failure.
    #[error("the host failed: {0}")]
    Host(String),
}

/// The last words of a guest, behind what the engine says.
fn quote(said: Option<&str>) -> String {
    said.map(|said| format!("; its last words:\n{said}")).unwrap_or_default()
}

/// Frames that a message names: enough to find the place.
const MAX_NAMED_FRAMES: usize = 6;

/// Where a guest was when the engine ended it. A language that aborts on its own
/// has said that itself, and in better words than the names of its runtime.
fn place(message: &str, spoke: bool, backtrace: &[String]) -> String {
    let aborted = spoke && message.contains("`unreachable`");
    if aborted || backtrace.is_empty() {
        return String::new();
    }
    let mut frames: Vec<_> = backtrace.iter().map(String::as_str).collect();
    // A recursion without end is one function over and over.
    frames.dedup();
    frames.truncate(MAX_NAMED_FRAMES);
    format!("; it was in {}", frames.join(", called by "))
}

impl InvokeError {
    /// A stable name for receipts and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Arguments { .. } => "invalid-arguments",
            Self::NoPermit => "no-permit",
            Self::NotLoaded(_) => "component-not-loaded",
            Self::Full => "sandbox-full",
            Self::Mount { .. } => "mount-failed",
            Self::Deadline { .. } => "deadline-exceeded",
            Self::Fuel(_) => "fuel-exhausted",
            Self::Memory(_) => "memory-exhausted",
            Self::InputTooLarge(_) => "input-too-large",
            Self::Limit { .. } => "limit-exceeded",
            Self::OutputTooLarge(_) => "output-too-large",
            Self::Exit { .. } => "guest-exited",
            Self::Trap { .. } => "guest-trapped",
            Self::InvalidOutput(_) => "invalid-output",
            Self::Host(_) => "host-failure",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trap(message: &str, said: Option<&str>) -> String {
        let backtrace = ["divide", "divide", "main"].map(str::to_owned).to_vec();
        InvokeError::Trap { message: message.to_owned(), backtrace, said: said.map(str::to_owned) }.to_string()
    }

    #[test]
    fn a_trap_is_told_with_its_place_or_the_words_of_its_language() {
        let zero = "integer divide by zero";
        assert_eq!(trap(zero, None), "the guest trapped: integer divide by zero; it was in divide, called by main");
        // What it wrote before has nothing to do with it.
        assert_eq!(
            trap(zero, Some("reading…")),
            "the guest trapped: integer divide by zero; it was in divide, called by main; its last words:\nreading…"
        );
        let aborted = "wasm `unreachable` instruction executed";
        assert_eq!(
            trap(aborted, Some("no such key")),
            "the guest trapped: wasm `unreachable` instruction executed; its last words:\nno such key"
        );
    }
}
