//! Records of packages: installed, removed, refused.

use bailiwick_domain::digest::Digest;
use bailiwick_journal::JournalError;
use serde::Serialize;

use super::Audit;
use super::record::{moment, text};

/// What happened to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageStep {
    /// It is about to be put in place.
    Installed,
    /// It is about to be taken away.
    Removed,
    /// It was not let in.
    Refused,
    /// It was recorded as installed or removed, and that failed.
    Failed,
}

impl PackageStep {
    const fn kind(self) -> &'static str {
        match self {
            Self::Installed => "package-installed",
            Self::Removed => "package-removed",
            Self::Refused => "package-refused",
            Self::Failed => "package-failed",
        }
    }
}

/// What is recorded of a step. Whatever is not known is left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PackageEvent {
    /// Who asked for it.
    pub principal: String,
    /// In which trace.
    pub trace_id: String,
    /// The skill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What grants are bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The digest of all its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Digest>,
    /// Where it comes from.
    pub source: String,
    /// The digest of its manifest in a registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// The name of the key that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// That key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Why it was refused, or what failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Serialize)]
struct Head {
    at: String,
    kind: &'static str,
}

impl Audit {
    /// Records a step. It is durable when this answers.
    pub async fn package(&self, step: PackageStep, event: &PackageEvent) -> Result<(), JournalError> {
        let head = text(&Head { at: moment(self.clock.now()), kind: step.kind() });
        // Both are objects with members, so that they can be joined.
        let (head, event) = (head.strip_suffix('}').unwrap_or(&head), text(event));
        let body = format!("{head},{}", event.strip_prefix('{').unwrap_or(&event));
        self.journal.append(body).await.map(drop)
    }
}
