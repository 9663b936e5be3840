//! How a skill is named, and how a caller picks one of its versions.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

/// Longest namespace or name; the Agent Skills format has the same limit.
const MAX_PART: usize = 64;

/// `namespace/name`: two parts of lowercase letters, digits and single hyphens.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SkillId(Arc<str>);

impl SkillId {
    /// The whole id, `namespace/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash.
    pub fn namespace(&self) -> &str {
        self.0.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    /// The part behind the slash; the `name` of SKILL.md must equal it.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

impl fmt::Display for SkillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SkillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SkillId> for String {
    fn from(id: SkillId) -> Self {
        id.0.as_ref().to_owned()
    }
}

/// The text is not a skill's id, or not an id with a version range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSkillId {
    /// Not `namespace/name`.
    #[error(
        "`{0}` is not a skill id: expected `namespace/name`, each part 1 to 64 lowercase letters, digits and single hyphens"
    )]
    Id(String),
    /// The part behind `@` is not a semver range.
    #[error("`{range}` is not a version range such as `1.2.3`, `^1.2` or `>=1, <3`: {reason}")]
    Range {
        /// The text behind `@`.
        range: String,
        /// What the semver parser said.
        reason: String,
    },
}

impl FromStr for SkillId {
    type Err = InvalidSkillId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, name)) if is_part(namespace) && is_part(name) => Ok(Self(Arc::from(text))),
            _ => Err(InvalidSkillId::Id(text.to_owned())),
        }
    }
}

impl TryFrom<String> for SkillId {
    type Error = InvalidSkillId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// One part of an id, by the rule that the Agent Skills format gives for names.
fn is_part(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=MAX_PART).contains(&part.len())
        && part.chars().all(allowed)
        && !part.starts_with('-')
        && !part.ends_with('-')
        && !part.contains("--")
}

/// A skill and the versions of it that the caller accepts: `id` or `id@range`.
///
/// A bare version after `@` means exactly that version, as people expect of a
/// pin; every other range is read as Cargo reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SkillSelector {
    /// Which skill.
    pub id: SkillId,
    /// Which of its versions; `*` matches every release.
    pub versions: VersionReq,
}

impl SkillSelector {
    /// The newest release of `id`.
    pub fn newest(id: SkillId) -> Self {
        Self { id, versions: VersionReq::STAR }
    }

    /// `id` within `range`, where a bare version is an exact pin.
    pub fn within(id: SkillId, range: &str) -> Result<Self, InvalidSkillId> {
        let range = range.trim();
        let text = match Version::parse(range) {
            Ok(_) => format!("={range}"),
            Err(_) => range.to_owned(),
        };
        VersionReq::parse(&text)
            .map(|versions| Self { id, versions })
            .map_err(|error| InvalidSkillId::Range { range: range.to_owned(), reason: error.to_string() })
    }
}

impl FromStr for SkillSelector {
    type Err = InvalidSkillId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('@') {
            Some((id, range)) => Self::within(id.parse()?, range),
            None => Ok(Self::newest(text.parse()?)),
        }
    }
}

impl TryFrom<String> for SkillSelector {
    type Error = InvalidSkillId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SkillSelector> for String {
    fn from(selector: SkillSelector) -> Self {
        selector.to_string()
    }
}

impl fmt::Display for SkillSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.versions == VersionReq::STAR {
            write!(f, "{}", self.id)
        } else {
            write!(f, "{}@{}", self.id, self.versions)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_namespace_and_name() {
        for good in ["a/b", "bailiwick/http-fetch", "x1/y-2"] {
            assert!(good.parse::<SkillId>().is_ok(), "{good}");
        }
        let long = format!("a/{}", "b".repeat(65));
        for bad in ["", "a", "a/", "/b", "A/b", "a/b/c", "a/-b", "a/b-", "a/b--c", "a/../b", &long] {
            assert!(bad.parse::<SkillId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bare_version_is_a_pin() {
        let selector: SkillSelector = "a/b@1.2.3".parse().expect("valid");
        assert!(selector.versions.matches(&Version::new(1, 2, 3)));
        assert!(!selector.versions.matches(&Version::new(1, 2, 4)));
        let selector: SkillSelector = "a/b@^1.2".parse().expect("valid");
        assert!(selector.versions.matches(&Version::new(1, 9, 0)));
        assert!("a/b@nonsense".parse::<SkillSelector>().is_err());
    }
}
