//! The proof that policy allowed one invocation.
//!
//! A permit can only come from a [`PermitIssuer`], and a sandbox accepts only
//! permits of the issuer whose [`PermitVerifier`] it was built with. The issuer
//! can't be cloned and is handed to policy once, when the host is wired; so
//! code that holds a sandbox, but not the policy, can't run anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::authority::{FsMount, HttpRule, HttpTarget};
use crate::digest::Digest;
use crate::limits::Limits;
use crate::quota::{Quota, StateQuota};
use crate::skill_id::SkillId;

/// Makes permits. There is one for each sandbox, and policy holds it.
#[derive(Debug)]
pub struct PermitIssuer(Arc<Seal>);

/// Tells the permits of one issuer from all others.
#[derive(Clone, Debug)]
pub struct PermitVerifier(Arc<Seal>);

/// Compared by address; the field keeps the type from having no size, because
/// values without a size may share an address.
#[derive(Debug)]
struct Seal(#[expect(dead_code, reason = "gives the seal an address of its own")] u8);

/// A new issuer and the verifier of its permits.
pub fn authority() -> (PermitIssuer, PermitVerifier) {
    let seal = Arc::new(Seal(0));
    (PermitIssuer(Arc::clone(&seal)), PermitVerifier(seal))
}

impl PermitIssuer {
    /// Allows one invocation under `terms`, to be ended when `time` has passed since `begin`.
    pub fn issue(&self, terms: Arc<Terms>, begin: Instant, time: Duration) -> Permit {
        Permit { seal: Arc::clone(&self.0), terms, deadline: begin + time, time }
    }
}

impl PermitVerifier {
    /// Whether the issuer that belongs to this verifier made `permit`.
    pub fn accepts(&self, permit: &Permit) -> bool {
        Arc::ptr_eq(&self.0, &permit.seal)
    }
}

/// Proof that policy allowed one invocation. It is neither cloned nor kept.
#[derive(Debug)]
pub struct Permit {
    seal: Arc<Seal>,
    terms: Arc<Terms>,
    deadline: Instant,
    time: Duration,
}

impl Permit {
    /// What the invocation may do.
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// When it is ended, come what may.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How long it was given from its beginning to its deadline.
    pub const fn time(&self) -> Duration {
        self.time
    }
}

/// What an invocation may do: the intersection of the manifest's request, the
/// grant and the host's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The skill.
    pub skill: SkillId,
    /// The bytes that run.
    pub digest: Digest,
    /// Folders.
    pub fs: Vec<FsMount>,
    /// Outgoing requests.
    pub http: HttpAuthority,
    /// A fresh folder for this call alone, with what may be written there.
    pub workspace: Option<Quota>,
    /// Its state store, with what may be kept there.
    pub state: Option<StateQuota>,
    /// Configuration that it sees.
    pub config: BTreeMap<String, String>,
    /// How much it may take.
    pub limits: Limits,
}

/// Outgoing requests that both the manifest asked for and the grant allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAuthority {
    /// From the manifest.
    pub requested: Vec<HttpRule>,
    /// From the grant.
    pub granted: Vec<HttpRule>,
}

impl HttpAuthority {
    /// Whether `target` is allowed by a rule of both.
    pub fn allows(&self, target: &HttpTarget<'_>) -> bool {
        self.requested.iter().any(|rule| rule.asks_for(target)) && self.granted.iter().any(|rule| rule.allows(target))
    }

    /// Whether a granted rule that allows `target` names this very address.
    pub fn grants_address(&self, target: &HttpTarget<'_>, address: std::net::IpAddr) -> bool {
        self.granted.iter().any(|rule| rule.allows(target) && rule.host.grants_address(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LimitsPolicy;

    #[test]
    fn a_verifier_accepts_only_its_own_issuer() {
        let terms = Arc::new(Terms {
            skill: "a/b".parse().expect("id"),
            digest: Digest::of(b""),
            fs: vec![],
            http: HttpAuthority::default(),
            workspace: None,
            state: None,
            config: BTreeMap::new(),
            limits: LimitsPolicy::default().default,
        });
        let (issuer, verifier) = authority();
        let (stranger, _) = authority();
        let now = Instant::now();
        assert!(verifier.accepts(&issuer.issue(Arc::clone(&terms), now, Duration::ZERO)));
        assert!(!verifier.accepts(&stranger.issue(terms, now, Duration::ZERO)));
    }
}
