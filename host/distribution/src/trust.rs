//! Whose signatures count, and for which skills.

use std::collections::BTreeSet;

use bailiwick_domain::skill_id::SkillId;

use crate::key::PublicKey;

/// Keys of one host: more than an operator can look after.
pub const MAX_KEYS: usize = 64;

/// What the operator trusts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The keys, by the names that the configuration gives them.
    pub keys: Vec<TrustedKey>,
    /// Whether packages that no such key signed may be installed.
    pub allow_unsigned: bool,
}

/// A key whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// Its name in the configuration.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// The namespaces of the skills that it may sign.
    pub namespaces: BTreeSet<String>,
}

/// Who vouches for a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// A trusted key.
    Key {
        /// Its name in the configuration.
        name: String,
        /// The key.
        key: PublicKey,
    },
    /// Nobody: the operator let it in without a signature.
    Unsigned,
}

impl TrustedKey {
    /// Whether it may sign `skill`.
    pub fn covers(&self, skill: &SkillId) -> bool {
        self.namespaces.contains(skill.namespace())
    }

    /// The namespaces, for messages.
    pub fn scope(&self) -> String {
        let names: Vec<_> = self.namespaces.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    }
}
