//! Who says which packages of the folder of installed ones may be skills.

use std::fmt;
use std::path::{Path, PathBuf};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;
use semver::Version;

use crate::skill::Skill;

/// Judges packages by their bytes, before anything in them is read. What installs
/// packages stands behind this: it knows this crate, and not the other way round.
pub trait Admission: fmt::Debug + Send + Sync {
    /// The folder whose subfolders it judges. It need not be there.
    fn folder(&self) -> &Path;

    /// The file that says which packages are installed. It need not be there.
    fn lock(&self) -> &Path;

    /// Every folder and file of a package, itself included.
    fn files(&self, package: &Path) -> Vec<PathBuf>;

    /// Whether the package in this folder is as it was installed.
    fn admit(&self, package: &Path) -> Result<Admitted, NotAdmitted>;
}

/// What a package must turn out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The skill.
    pub id: SkillId,
    /// Its version.
    pub version: Version,
    /// What grants are bound to.
    pub digest: Digest,
}

/// Why a package may not be a skill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotAdmitted {
    /// Which skill it would be, where that is known.
    pub id: Option<SkillId>,
    /// Which version of it.
    pub version: Option<Version>,
    /// What is wrong, and what to do. It names no folder of the host.
    pub reason: String,
}

impl Admitted {
    /// Whether `skill` is what was admitted.
    pub(super) fn check(&self, skill: &Skill) -> Result<(), NotAdmitted> {
        let found = (&skill.manifest.id, &skill.manifest.version, &skill.digest);
        if found == (&self.id, &self.version, &self.digest) {
            return Ok(());
        }
        let reason = format!(
            "it is {} {} ({}), and was installed as {} {} ({}): `bailiwick skills install` brings it back",
            found.0, found.1, found.2, self.id, self.version, self.digest
        );
        Err(NotAdmitted { id: Some(self.id.clone()), version: Some(self.version.clone()), reason })
    }
}
