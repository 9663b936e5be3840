//! What a reload changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;
use semver::Version;

use crate::catalog::{Broken, Catalog};
use crate::skill::Skill;

/// The difference between two catalogs, for those who keep lists of skills.
#[derive(Clone, Debug)]
pub struct Change {
    /// The catalog that it led to.
    pub generation: u64,
    /// Releases that were not there before.
    pub added: Vec<Release>,
    /// Releases that are no longer there.
    pub removed: Vec<Release>,
    /// Releases whose code, manifest or instructions are others, as they are now.
    pub changed: Vec<Release>,
    /// Every package that is broken now.
    pub broken: Vec<Broken>,
    /// Whether that list is another one than before.
    pub broken_changed: bool,
}

/// One release of one skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The skill.
    pub id: SkillId,
    /// Its version.
    pub version: Version,
    /// Its bytes.
    pub digest: Digest,
}

impl Change {
    /// Whether everything is as it was.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty() && !self.broken_changed
    }

    /// What is different in `new`. An empty change keeps the old generation.
    pub(super) fn between(old: &Catalog, new: &Catalog) -> Self {
        let before = by_release(old);
        let after = by_release(new);
        let only = |these: &Releases<'_>, those: &Releases<'_>| {
            these.iter().filter(|(key, _)| !those.contains_key(*key)).map(|(_, skill)| release(skill)).collect()
        };
        let is_other = |(key, skill): &(&(&SkillId, &Version), &&Arc<Skill>)| {
            before.get(*key).is_some_and(|before| !Arc::ptr_eq(before, skill))
        };
        let mut change = Self {
            generation: new.generation(),
            added: only(&after, &before),
            removed: only(&before, &after),
            changed: after.iter().filter(is_other).map(|(_, skill)| release(skill)).collect(),
            broken: new.broken().to_vec(),
            broken_changed: texts(old) != texts(new),
        };
        if change.is_empty() {
            change.generation = old.generation();
        }
        change
    }
}

type Releases<'c> = BTreeMap<(&'c SkillId, &'c Version), &'c Arc<Skill>>;

fn by_release(catalog: &Catalog) -> Releases<'_> {
    catalog.list().map(|skill| ((&skill.manifest.id, &skill.manifest.version), skill)).collect()
}

fn release(skill: &Skill) -> Release {
    Release { id: skill.manifest.id.clone(), version: skill.manifest.version.clone(), digest: skill.digest }
}

fn texts(catalog: &Catalog) -> Vec<(&std::path::Path, String)> {
    catalog.broken().iter().map(|broken| (broken.folder.as_path(), broken.error.to_string())).collect()
}
