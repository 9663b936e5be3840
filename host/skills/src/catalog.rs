//! The skills that there are at one moment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_domain::component::ComponentError;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::{SkillId, SkillSelector};
use semver::Version;

use crate::near::{hint, near, quoted};
use crate::package::PackageError;
use crate::registry::NotAdmitted;
use crate::skill::{Skill, SkillError};

/// Every skill by id and version, and the packages that are no skills. It
/// doesn't change: a reload makes another one.
#[derive(Debug, Default)]
pub struct Catalog {
    generation: u64,
    /// Newest first; no list is empty.
    skills: BTreeMap<SkillId, Vec<Arc<Skill>>>,
    broken: Vec<Broken>,
}

/// A package that is no skill, and why. It hurts no other.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The package's folder, or the folder of packages that can't be read.
    pub folder: PathBuf,
    /// Which skill it would be, where that is known.
    pub id: Option<SkillId>,
    /// Which release of it.
    pub version: Option<Version>,
    /// What is wrong with it.
    pub error: Arc<BrokenReason>,
}

impl Broken {
    /// Whether it only has to be waited for.
    pub fn is_preparing(&self) -> bool {
        matches!(*self.error, BrokenReason::Preparing)
    }
}

/// Why a package is no skill.
#[derive(Debug, thiserror::Error)]
pub enum BrokenReason {
    /// A folder of packages can't be read.
    #[error("can't read the skills folder `{path}`: {error}", path = path.display())]
    Directory {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// More packages than are read.
    #[error("the skills folder `{path}` has more than {max} packages; the rest is not read", path = path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// As many as are read.
        max: usize,
    },
    /// It was installed, and is not what was installed.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// The files of the package are not as they should be.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The component is reached through a symlink that leads elsewhere.
    #[error("the component `{component}` lies outside of the package: expected a file in it", component = .0.display())]
    Outside(PathBuf),
    /// The component can't run here.
    #[error("`{path}`: {error}", path = path.display())]
    Component {
        /// The component's file.
        path: PathBuf,
        /// Why not.
        error: ComponentError,
    },
    /// Its component is large and not compiled yet.
    #[error("its component is being compiled, which takes some seconds the first time")]
    Preparing,
    /// The manifest and the component don't agree.
    #[error(transparent)]
    Skill(#[from] SkillError),
    /// Another package claims to be the same release, and is not the same.
    #[error(transparent)]
    Conflict(Box<Conflict>),
}

/// Two packages that claim to be the same release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{other}` is {id} {version} too, with {differs}: give one of them another version, or remove it",
    other = other.display()
)]
pub struct Conflict {
    /// The skill that both claim to be.
    pub id: SkillId,
    /// The release that both claim to be.
    pub version: Version,
    /// The other package.
    pub other: PathBuf,
    /// In what they differ.
    pub differs: Difference,
}

/// In what two packages of the same release differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// In their code.
    Digests {
        /// This package's.
        own: Digest,
        /// The other package's.
        other: Digest,
    },
    /// In what their manifests say.
    Manifests,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digests { own, other } => write!(f, "the digest {other} where this one has {own}"),
            Self::Manifests => f.write_str("the same code and another manifest"),
        }
    }
}

/// Why a selector means no skill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// There is no such id.
    #[error("there is no skill `{id}`{}", hint(near))]
    UnknownSkill {
        /// The id that was asked for.
        id: SkillId,
        /// Ids that are like it.
        near: Vec<String>,
    },
    /// There is the id, and no package of it that works.
    #[error("the skill `{id}` can't be used: {reason}")]
    Broken {
        /// The id that was asked for.
        id: SkillId,
        /// What is wrong with its package.
        reason: String,
    },
    /// There is the id, and its component is not compiled yet.
    #[error("the skill `{id}` is being prepared: its component is compiled, which takes some seconds the first time")]
    Preparing {
        /// The id that was asked for.
        id: SkillId,
    },
    /// There is no such version.
    #[error("`{selector}` means no version of the skill; there is {}", quoted(versions.iter().map(ToString::to_string), ", "))]
    NoVersion {
        /// What was asked for.
        selector: SkillSelector,
        /// The versions that there are, newest first.
        versions: Vec<Version>,
    },
}

impl Catalog {
    /// The newest release that `selector` means. Pre-releases are meant only by
    /// ranges that name one of the same version.
    pub fn resolve(&self, selector: &SkillSelector) -> Result<Arc<Skill>, ResolveError> {
        self.resolve_among(selector, |_| true)
    }

    /// The same among the releases that are `allowed`.
    pub(crate) fn resolve_among(
        &self,
        selector: &SkillSelector,
        allowed: impl Fn(&Version) -> bool,
    ) -> Result<Arc<Skill>, ResolveError> {
        let Some(releases) = self.skills.get(&selector.id) else { return Err(self.unknown(&selector.id)) };
        let is_meant = |version: &Version| selector.versions.matches(version) && allowed(version);
        let meant = releases.iter().find(|skill| is_meant(&skill.manifest.version));
        meant.cloned().ok_or_else(|| ResolveError::NoVersion {
            selector: selector.clone(),
            versions: releases.iter().map(|skill| skill.manifest.version.clone()).collect(),
        })
    }

    /// Every skill: by id, and of each the newest version first.
    pub fn list(&self) -> impl Iterator<Item = &Arc<Skill>> {
        self.skills.values().flatten()
    }

    /// The releases of one skill, newest first.
    pub fn releases(&self, id: &SkillId) -> &[Arc<Skill>] {
        self.skills.get(id).map_or(&[], Vec::as_slice)
    }

    /// The packages that are no skills.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Counts the reloads that changed something.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The catalog of `skills`, in the order of their folders. Of packages that
    /// claim to be one release none is taken unless all say the same.
    pub(crate) fn new(generation: u64, skills: Vec<Found>, mut broken: Vec<Broken>) -> Self {
        let mut claims: BTreeMap<(SkillId, Version), Vec<Found>> = BTreeMap::new();
        for found in skills {
            let manifest = &found.skill.manifest;
            claims.entry((manifest.id.clone(), manifest.version.clone())).or_default().push(found);
        }
        let mut skills: BTreeMap<SkillId, Vec<Arc<Skill>>> = BTreeMap::new();
        // Versions come in rising order; the other way round the newest is first.
        for ((id, version), claims) in claims.into_iter().rev() {
            match conflicts(&id, &version, &claims) {
                None => skills.entry(id).or_default().extend(claims.into_iter().next().map(|found| found.skill)),
                Some(conflicts) => broken.extend(conflicts),
            }
        }
        broken.sort_by(|a, b| a.folder.cmp(&b.folder));
        Self { generation, skills, broken }
    }

    fn unknown(&self, id: &SkillId) -> ResolveError {
        if let Some(broken) = self.broken.iter().find(|broken| broken.id.as_ref() == Some(id)) {
            if broken.is_preparing() {
                return ResolveError::Preparing { id: id.clone() };
            }
            return ResolveError::Broken { id: id.clone(), reason: broken.error.to_string() };
        }
        ResolveError::UnknownSkill { id: id.clone(), near: near(id.as_str(), self.skills.keys().map(SkillId::as_str)) }
    }
}

/// A skill and the folder that it was found in.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) folder: PathBuf,
    pub(crate) skill: Arc<Skill>,
}

/// What to say of each of `claims` on one release, or `None` where they agree.
fn conflicts(id: &SkillId, version: &Version, claims: &[Found]) -> Option<Vec<Broken>> {
    let conflict = |own: &Found| {
        let (other, differs) = claims.iter().find_map(|other| Some((other, difference(&own.skill, &other.skill)?)))?;
        let conflict = Conflict { id: id.clone(), version: version.clone(), other: other.folder.clone(), differs };
        Some(Broken {
            folder: own.folder.clone(),
            id: Some(id.clone()),
            version: Some(version.clone()),
            error: Arc::new(BrokenReason::Conflict(Box::new(conflict))),
        })
    };
    // Where any two differ, each differs from one at least.
    claims.iter().map(conflict).collect()
}

fn difference(own: &Skill, other: &Skill) -> Option<Difference> {
    if own.digest != other.digest {
        return Some(Difference::Digests { own: own.digest, other: other.digest });
    }
    (own.manifest != other.manifest).then_some(Difference::Manifests)
}
