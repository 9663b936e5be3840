//! A folder with a `SKILL.md` alone: a prompt, straight from the Agent Skills format.
//!
//! It can make no call and be given no grant, so a manifest would say nothing
//! that the front matter doesn't.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::manifest::{Kind, Permissions, SkillManifest};
use bailiwick_domain::skill_id::SkillId;
use semver::Version;

use super::document::{Document, excerpt};
use super::error::PackageError;
use super::files::Folder;
use super::findings::Findings;
use super::key_path::KeyPath;
use super::skill_md::{self, Instructions};
use super::{INSTRUCTIONS_FILE, Parts};

/// The namespace of skills that have no manifest to name one.
const NAMESPACE: &str = "local";

/// Reads the package. `None` means that `findings` says why not.
pub(super) fn read(folder: &Folder, text: String, findings: &mut Findings) -> Result<Option<Parts>, PackageError> {
    let file = folder.shown(Path::new(INSTRUCTIONS_FILE));
    let Some((instructions, document)) = skill_md::read(file, text, findings)? else { return Ok(None) };
    let Ok(id) = format!("{NAMESPACE}/{}", instructions.name).parse() else {
        let found = excerpt(&instructions.name);
        let message = format!("found {found}, expected 1 to 64 lowercase letters, digits and single hyphens");
        findings.problem(document.problem(&KeyPath::root().key("name"), message));
        return Ok(None);
    };
    let manifest = manifest(id, version(&instructions, &document, findings));
    skill_md::check_agreement(&instructions, &document, &manifest, findings);
    Ok(Some(Parts { manifest, instructions: Some(instructions), schemas: BTreeMap::new() }))
}

/// The version that the front matter has; 0.0.0 where it has none, or one that is none.
fn version(instructions: &Instructions, document: &Document, findings: &mut Findings) -> Version {
    const NONE: Version = Version::new(0, 0, 0);
    let Some(text) = instructions.metadata.get("version") else { return NONE };
    parse_version(text).unwrap_or_else(|message| {
        // Others write what they like there, so that a host may put up with it.
        findings.tolerable(document.problem(&KeyPath::root().key("metadata").key("version"), message));
        NONE
    })
}

/// A version as Agent Skills have it: where it has one number or two, the others are 0.
fn parse_version(text: &str) -> Result<Version, String> {
    let is_numbers = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let missing = match text.split('.').count() {
        1 if is_numbers => ".0.0",
        2 if is_numbers => ".0",
        _ => "",
    };
    Version::parse(&format!("{text}{missing}")).map_err(|error| {
        format!("`{text}` is not a version: expected one to three numbers, such as `1.2` or `1.2.3` ({error})")
    })
}

/// A manifest that asks for nothing.
fn manifest(id: SkillId, version: Version) -> SkillManifest {
    SkillManifest {
        id,
        version,
        kind: Kind::Prompt,
        component: None,
        tools: BTreeMap::new(),
        permissions: Permissions::default(),
        risk_tags: BTreeSet::new(),
        idempotent: false,
        limits: LimitsRequest::default(),
        model_preferences: Vec::new(),
        build: None,
    }
}
