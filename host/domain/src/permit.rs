//! The proof that policy allowed one invocation.
//!
//! A permit can only come from a [`PermitIssuer`], and a sandbox accepts only
//! permits of the issuer whose [`PermitVerifier`] it was built with. The issuer
//! can't be cloned and is handed to policy once, when the host is wired; so
//! code that holds a sandbox, but not the policy, can't run anything.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::authority::{CommandRule, FsMount, HttpDeny, HttpRule, HttpTarget, SecretDestination, SkillRule, is_public};
use crate::digest::Digest;
use crate::limits::Limits;
use crate::observation::Observation;
use crate::quota::{Quota, StateQuota};
use crate::skill_id::SkillId;
use crate::workspace::WorkspaceKey;

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
        let seal = Arc::clone(&self.0);
        Permit { seal, terms, deadline: begin + time, time, observation: None, workspace: None }
    }

    /// The same for a call that shares its workspace with those of `workspace`. It gets one
    /// only where its terms have one.
    pub fn issue_sharing(
        &self,
        terms: Arc<Terms>,
        begin: Instant,
        time: Duration,
        workspace: Option<WorkspaceKey>,
    ) -> Permit {
        Permit { workspace, ..self.issue(terms, begin, time) }
    }

    /// The same for a call that is observed: what it touches is noted in `observation`,
    /// whose state it works on.
    pub fn issue_observed(
        &self,
        terms: Arc<Terms>,
        begin: Instant,
        time: Duration,
        observation: Arc<Observation>,
    ) -> Permit {
        Permit { observation: Some(observation), ..self.issue(terms, begin, time) }
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
    observation: Option<Arc<Observation>>,
    workspace: Option<WorkspaceKey>,
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

    /// Where it is noted what the call touches, if it is observed.
    pub const fn observation(&self) -> Option<&Arc<Observation>> {
        self.observation.as_ref()
    }

    /// With whom the call shares a workspace, if it gets one; otherwise that is its own.
    pub const fn workspace(&self) -> Option<&WorkspaceKey> {
        self.workspace.as_ref()
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
    /// Secrets by name, and where each may be sent. Their values are not here.
    pub secrets: BTreeMap<String, Vec<SecretDestination>>,
    /// A folder for this call alone, or shared as the permit says, with what may lie there.
    pub workspace: Option<Quota>,
    /// Its state store, with what may be kept there.
    pub state: Option<StateQuota>,
    /// Configuration that it sees.
    pub config: BTreeMap<String, String>,
    /// Commands of the host.
    pub shell: Vec<CommandRule>,
    /// Other skills.
    pub skills: Vec<SkillRule>,
    /// Models by name, the one that is asked where none is named first.
    pub models: Vec<String>,
    /// How much it may take.
    pub limits: Limits,
}

/// Outgoing requests that both the manifest asked for and the grant allows, and that
/// nobody denies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAuthority {
    /// From the manifest.
    pub requested: Vec<HttpRule>,
    /// From the grant.
    pub granted: Vec<HttpRule>,
    /// From the manifest, the grant and the host: what one of them denies is denied.
    pub denied: Vec<HttpDeny>,
}

/// Why a request may not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpRefusal {
    /// Somebody denied it.
    #[error("the deny rule `{0}` forbids it")]
    Denied(Box<HttpDeny>),
    /// Nobody allowed it.
    #[error("no granted rule allows it")]
    NotGranted,
    /// Its host is where only named addresses may be reached.
    #[error("its address is not a public one, and no granted rule names that address")]
    NotPublic,
}

impl HttpAuthority {
    /// Whether `target` is allowed by a rule of both, and denied by none.
    pub fn allows(&self, target: &HttpTarget<'_>) -> bool {
        self.judge(target).is_ok()
    }

    /// The same, and why not.
    pub fn judge(&self, target: &HttpTarget<'_>) -> Result<(), HttpRefusal> {
        if let Some(rule) = self.denied.iter().find(|rule| rule.denies(target)) {
            return Err(HttpRefusal::Denied(Box::new(rule.clone())));
        }
        let asked = self.requested.iter().any(|rule| rule.asks_for(target));
        let granted = asked && self.granted.iter().any(|rule| rule.allows(target));
        if granted { Ok(()) } else { Err(HttpRefusal::NotGranted) }
    }

    /// Whether the host of an allowed `target` may be reached at `address`, where it
    /// was found. A name may lead to a private address only if a granted rule for
    /// such requests names that address too.
    pub fn judge_address(&self, target: &HttpTarget<'_>, address: IpAddr) -> Result<(), HttpRefusal> {
        if let Some(rule) = self.denied.iter().find(|rule| rule.denies_address(target, address)) {
            return Err(HttpRefusal::Denied(Box::new(rule.clone())));
        }
        let named = || self.granted.iter().any(|rule| rule.grants_address(target, address));
        if is_public(address) || named() { Ok(()) } else { Err(HttpRefusal::NotPublic) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::Scheme;
    use crate::limits::LimitsPolicy;

    fn rule(host: &str) -> HttpRule {
        HttpRule {
            host: host.parse().expect(host),
            schemes: vec![Scheme::Https],
            ports: vec![],
            methods: vec!["GET".to_owned()],
            paths: vec![],
        }
    }

    fn deny(host: &str) -> HttpDeny {
        HttpDeny::of(host.parse().expect(host))
    }

    const TARGET: HttpTarget<'static> =
        HttpTarget { method: "GET", scheme: Scheme::Https, host: "a.example.com", port: 443, path: "/" };

    #[test]
    fn what_one_denies_is_denied() {
        let mut http = HttpAuthority { requested: vec![rule("*")], granted: vec![rule("*")], denied: vec![] };
        assert!(http.allows(&TARGET));
        http.denied = vec![deny("b.example.com"), deny("*.example.com")];
        assert_eq!(http.judge(&TARGET), Err(HttpRefusal::Denied(Box::new(deny("*.example.com")))));
        assert_eq!(
            http.judge(&HttpTarget { port: 444, ..TARGET }).map_err(|it| it.to_string()).err().as_deref(),
            Some("the deny rule `*.example.com` forbids it")
        );
        assert_eq!(http.judge(&HttpTarget { port: 444, host: "a.com", ..TARGET }), Err(HttpRefusal::NotGranted));
    }

    #[test]
    fn a_private_address_is_reached_only_by_rules_that_name_it() {
        let at = |granted: &[&str], denied: &[&str], address: &str| {
            let granted = granted.iter().copied().map(rule).collect();
            let denied = denied.iter().copied().map(deny).collect();
            let http = HttpAuthority { requested: vec![rule("*")], granted, denied };
            http.judge_address(&TARGET, address.parse().expect(address))
        };
        assert_eq!(at(&["*"], &[], "93.184.216.34"), Ok(()));
        for address in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fd00::1", "::ffff:10.1.2.3"] {
            assert_eq!(at(&["*"], &[], address), Err(HttpRefusal::NotPublic), "{address}");
            assert_eq!(at(&["*", "0.0.0.0/0", "::/0"], &[], address), Err(HttpRefusal::NotPublic), "{address}");
        }
        assert_eq!(at(&["*", "10.0.0.0/8"], &[], "10.1.2.3"), Ok(()));
        assert_eq!(at(&["*", "10.1.2.3"], &[], "10.1.2.3"), Ok(()));
        assert_eq!(at(&["*", "10.1.2.4"], &[], "10.1.2.3"), Err(HttpRefusal::NotPublic));
        let denied = |address| {
            matches!(at(&["*", "10.0.0.0/8"], &["10.1.0.0/16", "8.8.0.0/16"], address), Err(HttpRefusal::Denied(_)))
        };
        assert!(denied("10.1.2.3") && denied("::ffff:10.1.2.3") && denied("8.8.8.8"), "a deny rule wins");
        assert!(!denied("10.2.2.3") && !denied("8.9.8.8"));
    }

    #[test]
    fn a_verifier_accepts_only_its_own_issuer() {
        let terms = Arc::new(Terms {
            skill: "a/b".parse().expect("id"),
            digest: Digest::of(b""),
            fs: vec![],
            http: HttpAuthority::default(),
            secrets: BTreeMap::new(),
            workspace: None,
            state: None,
            config: BTreeMap::new(),
            shell: vec![],
            skills: vec![],
            models: vec![],
            limits: LimitsPolicy::default().default,
        });
        let (issuer, verifier) = authority();
        let (stranger, _) = authority();
        let now = Instant::now();
        assert!(verifier.accepts(&issuer.issue(Arc::clone(&terms), now, Duration::ZERO)));
        assert!(!verifier.accepts(&stranger.issue(terms, now, Duration::ZERO)));
    }
}
