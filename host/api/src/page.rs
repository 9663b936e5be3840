//! One page of the catalogue: the filter, the order and the cursor.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use bailiwick_domain::skill_id::SkillId;
use bailiwick_skills::catalog::{Broken, BrokenReason, Catalog};
use bailiwick_skills::skill::Skill;
use bailiwick_wire::skill::{BrokenPackage, SkillPage, SkillsQuery};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::convert;
use crate::problem::Failure;

/// Skills on a page where the query doesn't say.
const DEFAULT_LIMIT: u16 = 50;

/// Skills on a page at the most, so that a page stays well below a mebibyte.
const MAX_LIMIT: u16 = 200;

/// Bytes of the text to look for: more than a sentence.
const MAX_TEXT: usize = 256;

/// Broken packages that are named; whoever has more should look at the log.
const MAX_BROKEN: usize = 200;

/// What a cursor begins with, so that a later form can be told from this one.
const CURSOR_PREFIX: &str = "1:";

/// The page that `query` asks for.
pub(crate) fn of(catalog: &Catalog, query: &SkillsQuery) -> Result<SkillPage, Failure> {
    let filter = Filter::new(query)?;
    let limit = match query.limit {
        None => DEFAULT_LIMIT,
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(limit) => return Err(Failure::invalid_query(&format!("`limit` is {limit}; expected 1 to {MAX_LIMIT}"))),
    };
    let after = query.cursor.as_deref().map(read_cursor).transpose()?;
    let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let newest = newest(catalog);
    let mut matching = newest.range::<SkillId, _>((start, Bound::Unbounded)).filter(|(_, skill)| filter.matches(skill));
    let skills: Vec<_> = matching.by_ref().take(limit.into()).map(|(_, skill)| convert::summary(skill)).collect();
    let next_cursor = matching.next().and(skills.last()).map(|last| write_cursor(&last.id));
    let broken = if after.is_none() { broken(catalog) } else { Vec::new() };
    Ok(SkillPage { skills, broken, next_cursor })
}

/// The newest release of each skill. A pre-release is newest only where there is nothing else.
pub(crate) fn newest(catalog: &Catalog) -> BTreeMap<&SkillId, &Arc<Skill>> {
    let mut newest: BTreeMap<&SkillId, &Arc<Skill>> = BTreeMap::new();
    let is_release = |skill: &Skill| skill.manifest.version.pre.is_empty();
    // Of each skill the newest version comes first.
    for skill in catalog.list() {
        let best = newest.entry(&skill.manifest.id).or_insert(skill);
        if !is_release(best) && is_release(skill) {
            *best = skill;
        }
    }
    newest
}

/// Packages that can't be used. Where the folders of skills lie is the host's
/// own affair, so paths begin with the folder of the package.
fn broken(catalog: &Catalog) -> Vec<BrokenPackage> {
    let package = |broken: &Broken| {
        let other = match &*broken.error {
            BrokenReason::Conflict(conflict) => Some(conflict.other.as_path()),
            _ => None,
        };
        let folders = [Some(broken.folder.as_path()), other]
            .into_iter()
            .flatten()
            .filter_map(Path::parent)
            .filter(|folder| folder.is_absolute());
        let shorten = |text: String, folder: &Path| text.replace(&format!("{}/", folder.display()), "");
        BrokenPackage {
            package: broken.folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            error: folders.fold(broken.error.to_string(), shorten),
        }
    };
    catalog.broken().iter().take(MAX_BROKEN).map(package).collect()
}

/// Which skills are asked for.
struct Filter<'q> {
    words: Vec<String>,
    query: &'q SkillsQuery,
}

impl<'q> Filter<'q> {
    fn new(query: &'q SkillsQuery) -> Result<Self, Failure> {
        let text = query.q.as_deref().unwrap_or_default();
        if text.len() > MAX_TEXT {
            return Err(Failure::invalid_query(&format!("`q` has {} bytes; expected at most {MAX_TEXT}", text.len())));
        }
        Ok(Self { words: text.to_lowercase().split_whitespace().map(str::to_owned).collect(), query })
    }

    fn matches(&self, skill: &Skill) -> bool {
        let (manifest, query) = (&skill.manifest, self.query);
        let namespace = query.namespace.as_ref().is_none_or(|namespace| manifest.id.namespace() == namespace);
        let kind = query.kind.is_none_or(|kind| convert::kind(manifest.kind) == kind);
        namespace && kind && self.has_words(skill)
    }

    fn has_words(&self, skill: &Skill) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let mut texts = vec![skill.manifest.id.as_str()];
        texts.extend(skill.instructions.iter().map(|text| text.description.as_str()));
        texts.extend(skill.tools.iter().flat_map(|tool| [tool.name.as_str(), tool.description.as_str()]));
        let texts: Vec<String> = texts.into_iter().map(str::to_lowercase).collect();
        self.words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
    }
}

fn write_cursor(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{CURSOR_PREFIX}{last}"))
}

fn read_cursor(text: &str) -> Result<SkillId, Failure> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let id = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix(CURSOR_PREFIX).and_then(|id| id.parse().ok()));
    id.ok_or_else(|| Failure::invalid_query("`cursor` is not the `next_cursor` of a page"))
}
