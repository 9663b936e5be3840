//! What can be known of a component from its bytes alone.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::wit::ToolSignature;

/// A component as the sandbox read it: what it needs and what it offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// sha256 of the bytes.
    pub digest: Digest,
    /// Length in bytes.
    pub size: u64,
    /// Interfaces and functions that the component imports, in its order.
    /// What is not here, it can never reach, whatever it is granted.
    pub imports: Vec<String>,
    /// Exported functions.
    pub tools: Vec<ToolSignature>,
    /// Exported functions of `bailiwick:skill`, by which the skill provides more than
    /// tools with types. Their index follows that of the last tool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provided: Vec<ToolSignature>,
}

impl Inspection {
    /// Every function that can be called, in the order of its index.
    pub fn functions(&self) -> impl Iterator<Item = &ToolSignature> {
        self.tools.iter().chain(&self.provided)
    }

    /// The function that the skill provides as `interface.function`, with its index.
    pub fn provides(&self, name: &str) -> Option<usize> {
        let place = self.provided.iter().position(|function| function.qualified_name() == name)?;
        Some(self.tools.len() + place)
    }

    /// The tool that `name` means: its short name, else its long one.
    pub fn tool(&self, name: &str) -> Option<(usize, &ToolSignature)> {
        let tools = || self.tools.iter().enumerate();
        tools().find(|(_, tool)| tool.name == name).or_else(|| tools().find(|(_, tool)| tool.qualified_name() == name))
    }
}

/// Why bytes are not a component that this host can run.
///
/// Every message is for the author of the skill and ends with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// The file can't be read.
    #[error("the component can't be read: {0}")]
    Unreadable(String),
    /// More bytes than the host takes.
    #[error("the component has {size} bytes; this host takes at most {max}")]
    TooLarge {
        /// Bytes found.
        size: u64,
        /// Bytes allowed.
        max: u64,
    },
    /// No WebAssembly at all.
    #[error(
        "not WebAssembly: the file begins with {found}, expected `00 61 73 6d`; build the skill for `wasm32-wasip2`"
    )]
    NotWasm {
        /// The first bytes, in hex.
        found: String,
    },
    /// A core module.
    #[error(
        "a core module, not a component: build for `wasm32-wasip2`, or wrap the module with `wasm-tools component new`"
    )]
    CoreModule,
    /// WebAssembly of a version or layer that is not known.
    #[error("WebAssembly of unknown version {version} and layer {layer}: expected a component (version 13, layer 1)")]
    UnknownVersion {
        /// From the header.
        version: u16,
        /// From the header.
        layer: u16,
    },
    /// Bytes that do not validate, for one because the file was cut.
    #[error("not a valid component: {0}")]
    Invalid(String),
    /// Imports that this host has no implementation of.
    #[error("the component imports what this host doesn't offer: {}", .0.join(", "))]
    UnknownImports(Vec<String>),
    /// A function whose types can't cross as JSON.
    #[error("the exported function `{function}` can't be a tool: {reason}")]
    UnsupportedFunction {
        /// Its long name.
        function: String,
        /// Which type, and what to use in its place.
        reason: String,
    },
    /// An interface of ours in a version or a form that this host doesn't know.
    #[error("the component exports `{interface}`, {reason}")]
    UnknownExport {
        /// Its whole name.
        interface: String,
        /// What this host knows instead.
        reason: String,
    },
    /// Nothing exported.
    #[error("the component exports no function, so there is nothing to call")]
    NoTools,
    /// The host's own failure: a full disk, no memory.
    #[error("the host failed: {0}")]
    Host(String),
}
