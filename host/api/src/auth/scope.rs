//! What a key is good for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One thing that a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// List and describe skills.
    #[serde(rename = "skills:read")]
    SkillsRead,
    /// Run their tools.
    #[serde(rename = "skills:execute")]
    SkillsExecute,
    /// See which calls wait for approval, and answer.
    #[serde(rename = "approvals:answer")]
    ApprovalsAnswer,
    /// See agents and runs, whoever submitted them.
    #[serde(rename = "runs:read")]
    RunsRead,
    /// Submit runs and control them, whoever submitted them.
    #[serde(rename = "runs:submit")]
    RunsSubmit,
    /// Read the audit chain.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// All of it, and whatever later releases add.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::SkillsRead,
        Self::SkillsExecute,
        Self::ApprovalsAnswer,
        Self::RunsRead,
        Self::RunsSubmit,
        Self::AuditRead,
        Self::Admin,
    ];

    /// The scope as it stands in the key file and in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SkillsRead => "skills:read",
            Self::SkillsExecute => "skills:execute",
            Self::ApprovalsAnswer => "approvals:answer",
            Self::RunsRead => "runs:read",
            Self::RunsSubmit => "runs:submit",
            Self::AuditRead => "audit:read",
            Self::Admin => "admin",
        }
    }
}

/// Whether somebody who has `scopes` may do what needs `needed`.
pub fn covers(scopes: &BTreeSet<Scope>, needed: Scope) -> bool {
    scopes.contains(&needed) || scopes.contains(&Scope::Admin)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a scope: expected `skills:read`, `skills:execute`, `approvals:answer`, `runs:read`, `runs:submit`, `audit:read` or `admin`"
)]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |scope: &Self| scope.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_admin_covers_others() {
        let only = |scope| BTreeSet::from([scope]);
        assert!(covers(&only(Scope::SkillsRead), Scope::SkillsRead));
        assert!(!covers(&only(Scope::SkillsRead), Scope::SkillsExecute));
        assert!(!covers(&only(Scope::SkillsExecute), Scope::SkillsRead));
        assert!(!covers(&only(Scope::SkillsExecute), Scope::Admin));
        for scope in Scope::ALL {
            assert!(covers(&only(Scope::Admin), scope));
            assert!(!covers(&BTreeSet::new(), scope));
        }
    }

    #[test]
    fn text_and_scope_agree() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).expect("writable"), scope.as_str());
        }
        assert!("skills:write".parse::<Scope>().is_err());
    }
}
