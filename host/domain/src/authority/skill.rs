//! Which other skills a skill may call.

use std::fmt;

use semver::{Version, VersionReq};

use crate::skill_id::{SkillId, SkillSelector};

/// Releases of one skill that may be called: those that the manifest asks for, as far
/// as the grant gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillRule {
    /// Which skill.
    pub id: SkillId,
    /// From the manifest.
    pub asked: VersionReq,
    /// From the grant.
    pub granted: VersionReq,
}

impl SkillRule {
    /// The rule that both make together, where they are about one skill.
    pub fn of(asked: &SkillSelector, granted: &SkillSelector) -> Option<Self> {
        let (id, asked_versions, granted_versions) = (&asked.id, &asked.versions, &granted.versions);
        (asked.id == granted.id).then(|| Self {
            id: id.clone(),
            asked: asked_versions.clone(),
            granted: granted_versions.clone(),
        })
    }

    /// Whether that release may be called.
    pub fn allows(&self, version: &Version) -> bool {
        self.asked.matches(version) && self.granted.matches(version)
    }

    /// What of `wanted` to look for: all three ranges at once. That lets a pre-release
    /// through as soon as one of them names it, were it a caller's pin alone, so that what
    /// is found has to be one that the rule [allows](Self::allows), too.
    pub fn cut(&self, wanted: &SkillSelector) -> SkillSelector {
        let ranges = [&wanted.versions, &self.asked, &self.granted];
        let comparators = ranges.into_iter().flat_map(|range| range.comparators.iter().cloned()).collect();
        SkillSelector { id: self.id.clone(), versions: VersionReq { comparators } }
    }
}

impl fmt::Display for SkillRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every = SkillSelector { id: self.id.clone(), versions: VersionReq::STAR };
        self.cut(&every).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_allowed_by_manifest_and_grant_together() {
        let (asked, granted) = ("a/b@^1.2", "a/b@<1.5");
        let selector = |text: &str| text.parse::<SkillSelector>().expect("a selector");
        let rule = SkillRule::of(&selector(asked), &selector(granted)).expect("one skill");
        let allowed = |version: &str| rule.allows(&version.parse().expect("a version"));
        assert!(allowed("1.4.0"));
        assert!(!allowed("1.1.0"), "the manifest doesn't ask for it");
        assert!(!allowed("1.5.0"), "the grant doesn't give it");
        assert_eq!(rule.cut(&selector("a/b@1.4.2")).versions.to_string(), "=1.4.2, ^1.2, <1.5");
        assert_eq!(rule.to_string(), "a/b@^1.2, <1.5");
        assert_eq!(SkillRule::of(&selector("a/c"), &selector(granted)), None);
    }

    #[test]
    fn no_pin_widens_a_rule() {
        let selector = |text: &str| text.parse::<SkillSelector>().expect("a selector");
        // What the caller wants, what is asked for and granted, a release, and whether both allow it.
        for (wanted, asked, granted, version, allowed) in [
            ("a/b@1.4.0-alpha", "a/b@^1.2", "a/b@<1.5", "1.4.0-alpha", false),
            ("a/b@>=1.4.0-alpha", "a/b@^1.2", "a/b", "1.4.0-beta", false),
            ("a/b", "a/b@>=1.4.0-alpha", "a/b@<1.5", "1.4.0-beta", false),
            ("a/b", "a/b@^1.2", "a/b@>=1.4.0-alpha", "1.4.0-beta", false),
            ("a/b", "a/b@>=1.4.0-alpha", "a/b@^1.4.0-0", "1.4.0-beta", true),
            ("a/b@1.4.0", "a/b@^1.2", "a/b@<1.5", "1.4.0", true),
        ] {
            let rule = SkillRule::of(&selector(asked), &selector(granted)).expect("one skill");
            let version: Version = version.parse().expect("a version");
            assert!(rule.cut(&selector(wanted)).versions.matches(&version), "{wanted} of {rule} finds {version}");
            assert_eq!(rule.allows(&version), allowed, "{wanted} of {rule} by {version}");
        }
    }
}
