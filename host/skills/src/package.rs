//! A skill's folder, read and checked: `skill.toml`, `SKILL.md`, and the files that they name.
//!
//! A file passes through four forms. Its text becomes a tree that remembers
//! where each part stands (`document`, from `toml_source` or `yaml_source`). The
//! tree is held against the JSON Schema of the unvalidated structs (`shape`), so
//! that keys, types and bounds are said in one place (`raw`) and the published
//! schema can't differ from the code. What has the right shape is read into
//! those structs, and `manifest`, `permissions` and `skill_md` turn their texts
//! into the types of the domain. Each step reports all that it finds, with the
//! file, the line and the key.

pub(crate) mod asked;
mod document;
mod error;
mod files;
mod findings;
#[doc(hidden)]
pub mod fuzzing;
mod key_path;
mod manifest;
mod names;
mod permissions;
mod prompt_only;
mod raw;
mod shape;
mod skill_md;
mod toml_source;
mod tool_schemas;
mod yaml_source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bailiwick_domain::manifest::{Kind, SkillManifest};
use serde_json::Value;

pub use error::{PackageError, Position, Problem};
pub use raw::manifest_schema;
pub use skill_md::Instructions;

use document::Document;
use files::Folder;
use findings::Findings;
use key_path::KeyPath;

/// The name of the manifest inside a package.
pub const MANIFEST_FILE: &str = "skill.toml";

/// The name of the instructions inside a package, as the Agent Skills format has it.
pub const INSTRUCTIONS_FILE: &str = "SKILL.md";

/// Most bytes of a `skill.toml`: a hundred times what the largest real one needs.
const MAX_MANIFEST_BYTES: u64 = 256 << 10;

/// Most bytes of a `SKILL.md`: fifty times what the format recommends to stay below.
const MAX_INSTRUCTIONS_BYTES: u64 = 1 << 20;

/// How forgiving the reading is, and what the host allows to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Whether unknown keys and scalars of the wrong type are errors. Where not,
    /// they become warnings, and a scalar is read as the type that was expected.
    pub strict: bool,
    /// Whether a skill may ask to run commands on the host.
    pub allow_shell: bool,
}

impl Default for LoadOptions {
    /// Strict, and without shells.
    fn default() -> Self {
        Self { strict: true, allow_shell: false }
    }
}

/// A skill's folder after every check that needs no component.
#[derive(Clone, Debug)]
pub struct Package {
    /// The folder: absolute, without symlinks.
    pub root: PathBuf,
    /// What the author claims and asks for.
    pub manifest: SkillManifest,
    /// The `SKILL.md`, where there is one; a prompt always has it.
    pub instructions: Option<Instructions>,
    /// The schemas that the manifest names, by the path that it names them with.
    /// They are valid JSON Schemas and refer to nothing outside of themselves.
    pub schemas: BTreeMap<PathBuf, Value>,
    /// What was forgiven; empty in strict mode.
    pub warnings: Vec<String>,
}

impl Package {
    /// Where the component lies; `None` exactly for prompts.
    pub fn component_path(&self) -> Option<PathBuf> {
        self.manifest.component.as_ref().map(|component| self.root.join(component))
    }
}

/// Whether a manifest can ask for a setting by the name `key`.
pub(crate) fn is_setting(key: &str) -> bool {
    names::name(key).is_ok()
}

/// Reads and checks the package in `root`.
///
/// A folder with a `SKILL.md` alone is a prompt, as the Agent Skills format has
/// it: its id is `local/NAME`, its version `metadata.version` or else 0.0.0.
pub fn load(root: &Path, options: &LoadOptions) -> Result<Package, PackageError> {
    read(root, *options, State::Built)
}

/// The same for a package whose component may still have to be built.
pub fn load_source(root: &Path, options: &LoadOptions) -> Result<Package, PackageError> {
    read(root, *options, State::Source)
}

/// How far a package has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It can run.
    Built,
    /// Its component may not be there.
    Source,
}

fn read(root: &Path, options: LoadOptions, state: State) -> Result<Package, PackageError> {
    let folder = Folder::open(root)?;
    let manifest = folder.read_text(Path::new(MANIFEST_FILE), MAX_MANIFEST_BYTES)?;
    let instructions = folder.read_text(Path::new(INSTRUCTIONS_FILE), MAX_INSTRUCTIONS_BYTES)?;
    let mut findings = Findings::new(options.strict);
    let parts = match (manifest, instructions) {
        (Some(manifest), instructions) => read_package(&folder, manifest, instructions, options, state, &mut findings)?,
        (None, Some(instructions)) => prompt_only::read(&folder, instructions, &mut findings)?,
        (None, None) => return Err(PackageError::NotAPackage { root: root.to_path_buf() }),
    };
    match (findings.finish(), parts) {
        (Ok(warnings), Some(parts)) => Ok(Package {
            root: folder.into_root(),
            manifest: parts.manifest,
            instructions: parts.instructions,
            schemas: parts.schemas,
            warnings: warnings.iter().map(ToString::to_string).collect(),
        }),
        // Whoever finds nothing wrong has found a package, so that this is never met.
        (Ok(_), None) => Err(PackageError::NotAPackage { root: root.to_path_buf() }),
        (Err(problems), _) => Err(PackageError::Invalid(problems)),
    }
}

/// What a package consists of, before it is known that nothing is wrong with it.
struct Parts {
    manifest: SkillManifest,
    instructions: Option<Instructions>,
    schemas: BTreeMap<PathBuf, Value>,
}

/// Reads a package that has a manifest. `None` means that `findings` says why not.
fn read_package(
    folder: &Folder,
    manifest: String,
    instructions: Option<String>,
    options: LoadOptions,
    state: State,
    findings: &mut Findings,
) -> Result<Option<Parts>, PackageError> {
    let document = toml_source::parse(folder.shown(Path::new(MANIFEST_FILE)), manifest)?;
    let Some(manifest) = read_manifest(&document, options, findings) else { return Ok(None) };
    if state == State::Built {
        check_component(folder, &document, &manifest, findings);
    }
    let schemas = tool_schemas::read(folder, &document, &manifest, findings);
    let instructions = match instructions {
        Some(text) => read_instructions(folder, text, &manifest, findings)?,
        None => None,
    };
    if manifest.kind == Kind::Prompt && instructions.is_none() && !findings.failed() {
        let message = format!("found a prompt without a {INSTRUCTIONS_FILE}, expected one: a prompt consists of it");
        findings.problem(document.problem(&KeyPath::root().key("kind"), message));
    }
    Ok(Some(Parts { manifest, instructions, schemas }))
}

/// The manifest as its text alone says it. `None` means that `findings` says why not.
fn read_manifest(document: &Document, options: LoadOptions, findings: &mut Findings) -> Option<SkillManifest> {
    let raw = raw::read_manifest(document, findings)?;
    manifest::validate(raw, document, options.allow_shell, findings)
}

fn read_instructions(
    folder: &Folder,
    text: String,
    manifest: &SkillManifest,
    findings: &mut Findings,
) -> Result<Option<Instructions>, PackageError> {
    let file = folder.shown(Path::new(INSTRUCTIONS_FILE));
    let Some((instructions, document)) = skill_md::read(file, text, findings)? else { return Ok(None) };
    skill_md::check_agreement(&instructions, &document, manifest, findings);
    Ok(Some(instructions))
}

/// The component must be a file of the package, or there is nothing to run.
fn check_component(folder: &Folder, document: &Document, manifest: &SkillManifest, findings: &mut Findings) {
    let Some(component) = &manifest.component else { return };
    if let Err(reason) = folder.file(component) {
        let message =
            format!("{reason}: expected the component; build the skill, or name the file that the build writes");
        findings.problem(document.problem(&KeyPath::root().key("component"), message));
    }
}
