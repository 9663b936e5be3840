//! What the author of a skill claims and asks for, after validation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::authority::{CommandRule, FsRequest, HttpDeny, HttpRule};
use crate::limits::LimitsRequest;
use crate::quota::{QuotaRequest, StateRequest};
use crate::skill_id::{SkillId, SkillSelector};

/// What a skill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A component whose exported functions are tools.
    Tool,
    /// Instructions alone; there is no component.
    Prompt,
    /// A component that drives other skills.
    Workflow,
}

/// A validated `skill.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillManifest {
    /// Who it is.
    pub id: SkillId,
    /// Which release.
    pub version: Version,
    /// What it is.
    pub kind: Kind,
    /// The component, relative to the package; absent exactly for prompts.
    pub component: Option<PathBuf>,
    /// Overrides by tool name.
    pub tools: BTreeMap<String, ToolOverride>,
    /// What it asks for. Nothing of it is given without a grant.
    pub permissions: Permissions,
    /// What its calls risk.
    pub risk_tags: BTreeSet<String>,
    /// Whether a call that was cut off may simply be made again.
    pub idempotent: bool,
    /// What its calls need.
    pub limits: LimitsRequest,
    /// Models it works best with, best first.
    pub model_preferences: Vec<String>,
    /// How its author builds the component; says nothing to a host.
    pub build: Option<Build>,
}

/// How a component is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// What it is written in.
    pub language: Language,
    /// The file that the build begins with, inside the package; the usual one of the language where absent.
    pub source: Option<PathBuf>,
}

/// A language that skills can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Rust, by cargo.
    Rust,
    /// Python, by componentize-py.
    Python,
    /// JavaScript or TypeScript, by componentize-js.
    JavaScript,
    /// C, by make and clang.
    C,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::Rust, Self::Python, Self::JavaScript, Self::C];

    /// Its name in manifests, commands and folders.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::C => "c",
        }
    }
}

impl SkillManifest {
    /// The risk tags of one tool: the skill's, or the tool's own where it has some.
    pub fn risk_tags_of(&self, tool: &str) -> &BTreeSet<String> {
        let own = self.tools.get(tool).and_then(|tool| tool.risk_tags.as_ref());
        own.unwrap_or(&self.risk_tags)
    }

    /// Whether a cut-off call of `tool` may be made again.
    pub fn is_idempotent(&self, tool: &str) -> bool {
        let own = self.tools.get(tool).and_then(|tool| tool.idempotent);
        own.unwrap_or(self.idempotent)
    }
}

/// What a manifest says of one tool beyond the component's own types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolOverride {
    /// In place of the WIT documentation.
    pub description: Option<String>,
    /// A JSON Schema that narrows the one derived from the types.
    pub input_schema: Option<PathBuf>,
    /// The same for the output.
    pub output_schema: Option<PathBuf>,
    /// In place of the skill's own tags.
    pub risk_tags: Option<BTreeSet<String>>,
    /// In place of the skill's own word.
    pub idempotent: Option<bool>,
}

/// What a skill asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Folders; no two overlap.
    pub fs: Vec<FsRequest>,
    /// Outgoing requests.
    pub http: Vec<HttpRule>,
    /// Requests that its author promises not to send, whatever is granted.
    pub http_deny: Vec<HttpDeny>,
    /// A folder of its own at `/workspace`, fresh for each call, or for each task of a run.
    pub workspace: Option<QuotaRequest>,
    /// Durable state of its own.
    pub state: Option<StateRequest>,
    /// Configuration keys it reads.
    pub config: BTreeSet<String>,
    /// Secrets that it has put into its requests, by name.
    pub secrets: BTreeSet<String>,
    /// Skills it calls.
    pub skills: Vec<SkillSelector>,
    /// Models it calls.
    pub models: Vec<String>,
    /// Commands it would run, by how they begin; refused unless the host allows shells.
    pub shell: Vec<CommandRule>,
}
