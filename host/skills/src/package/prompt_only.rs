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

use super::document::excerpt;
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
    let manifest = manifest(id, &instructions);
    skill_md::check_agreement(&instructions, &document, &manifest, findings);
    Ok(Some(Parts { manifest, instructions: Some(instructions), schemas: BTreeMap::new() }))
}

/// A manifest that asks for nothing.
fn manifest(id: SkillId, instructions: &Instructions) -> SkillManifest {
    let version = instructions.metadata.get("version").and_then(|text| Version::parse(text).ok());
    SkillManifest {
        id,
        version: version.unwrap_or(Version::new(0, 0, 0)),
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
