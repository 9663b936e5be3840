//! Whether a call is allowed, and under which terms.
//!
//! What a skill may do is what its manifest asks for, cut by what a person
//! granted to its bytes, cut by the host's own limits. The component's imports
//! cut it further by themselves: what it doesn't import, it can't reach.

mod basis;
mod refusal;
mod terms;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::authority::{FsMount, HttpDeny, SHELL_RISK};
use bailiwick_domain::clock::Clock;
use bailiwick_domain::limits::{LimitsPolicy, LimitsRequest};
use bailiwick_domain::manifest::Kind;
use bailiwick_domain::observation::Observation;
use bailiwick_domain::permit::{Permit, PermitIssuer, Terms};
use bailiwick_domain::workspace::WorkspaceKey;

pub use self::basis::Basis;
pub use self::refusal::Refusal;
pub use self::terms::effective_terms;
use crate::approvals::Approved;
use crate::grants::{GrantEntry, Grants};
use crate::skill::{Skill, Tool};

/// Terms that are kept. There is one for each skill that is called, so that this
/// many are only reached by skills that were loaded again and again.
const MAX_TERMS: usize = 8192;

/// What the host itself decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyOptions {
    /// Limits where nobody asks, and limits that nobody gets past.
    pub limits: LimitsPolicy,
    /// Requests that nobody sends from this host.
    pub http_deny: Vec<HttpDeny>,
    /// Risk tags of which each must be accepted by the grant.
    pub require_approval_tags: BTreeSet<String>,
}

/// Turns grants into permits. It holds the only issuer of them.
#[derive(Debug)]
pub struct Policy {
    issuer: PermitIssuer,
    options: PolicyOptions,
    terms: RwLock<HashMap<usize, Cached>>,
}

/// That a call may be made, and why.
#[derive(Debug)]
pub struct Decision {
    /// What the sandbox asks for.
    pub permit: Permit,
    /// The reason for each of its terms.
    pub basis: Arc<Basis>,
    /// The grant that it rests on.
    pub entry: Arc<GrantEntry>,
    /// The terms of every call under that grant, before a caller's budget cut them.
    pub terms: Arc<Terms>,
}

/// Terms by the address of their skill. The weak reference keeps that address
/// from being used for another skill.
#[derive(Debug)]
struct Cached {
    skill: Weak<Skill>,
    entry: Arc<GrantEntry>,
    terms: Arc<Terms>,
    basis: Arc<Basis>,
}

/// What the caller gives for a call: less than policy would, never more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// The most time.
    pub deadline: Option<Duration>,
    /// What a calling skill or run has left.
    pub budget: Option<&'a LimitsRequest>,
    /// With whom the call shares a workspace, where policy gives it one.
    pub workspace: Option<&'a WorkspaceKey>,
}

/// The moment of a decision, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For expiry.
    pub time: SystemTime,
    /// For the deadline.
    pub instant: Instant,
}

impl Now {
    /// The present by `clock`.
    pub fn by(clock: &dyn Clock) -> Self {
        Self { time: clock.now(), instant: clock.instant() }
    }
}

impl Policy {
    /// A policy that issues permits with `issuer`.
    pub fn new(issuer: PermitIssuer, options: PolicyOptions) -> Self {
        Self { issuer, options, terms: RwLock::default() }
    }

    /// A permit for one call of `tool`, within `wish`, or why there is none. Risks that
    /// the grant doesn't accept need `approved`, and what runs by that shares no workspace.
    pub fn decide(
        &self,
        skill: &Arc<Skill>,
        tool: &Tool,
        grants: &Grants,
        approved: Option<&Approved>,
        wish: Wish<'_>,
        now: Now,
    ) -> Result<Decision, Refusal> {
        let entry = valid_entry(skill, grants, now)?;
        if entry.grant.used_at.is_some() {
            return Err(Refusal::UsedUp { skill: skill.manifest.id.clone() });
        }
        self.check_risks(skill, tool, entry, approved)?;
        let (terms, basis) = self.cached_terms(skill, entry);
        let cut = match wish.budget {
            None => Arc::clone(&terms),
            Some(budget) => Arc::new(Terms { limits: terms.limits.within(budget), ..Terms::clone(&terms) }),
        };
        let given = [Some(cut.limits.deadline), wish.deadline, left(entry, now)].into_iter().flatten().min();
        // A person saw the arguments of a call, and not what calls before it have left.
        let workspace = wish.workspace.filter(|_| approved.is_none()).cloned();
        let permit = self.issuer.issue_sharing(cut, now.instant, given.unwrap_or_default(), workspace);
        Ok(Decision { permit, basis, entry: Arc::clone(entry), terms })
    }

    /// A permit for one call on copies, within the bounds of `entry` alone, also in time.
    /// What it touches is noted in `observation`.
    pub(crate) fn observe(
        &self,
        skill: &Skill,
        entry: &GrantEntry,
        copies: Vec<FsMount>,
        observation: Arc<Observation>,
        now: Now,
    ) -> Permit {
        let terms = terms::observed_terms(skill, &entry.grant, copies, &self.options);
        let time = left(entry, now).map_or(terms.limits.deadline, |left| left.min(terms.limits.deadline));
        self.issuer.issue_observed(Arc::new(terms), now.instant, time, observation)
    }

    /// Whether the bounds of an observation accept every risk that needs a person's
    /// word: whoever observes is asked beforehand.
    pub(crate) fn accepts_risks(&self, skill: &Skill, tool: &Tool, bounds: &GrantEntry) -> Result<(), Refusal> {
        self.check_risks(skill, tool, bounds, None)
    }

    /// What calls of `skill` may do, apart from the risks of single tools.
    pub fn terms(&self, skill: &Arc<Skill>, grants: &Grants, now: Now) -> Result<Arc<Terms>, Refusal> {
        valid_entry(skill, grants, now).map(|entry| self.cached_terms(skill, entry).0)
    }

    /// Whether a call that began under `terms` may go on under `grants`.
    pub fn still_allows(
        &self,
        skill: &Arc<Skill>,
        tool: &Tool,
        grants: &Grants,
        approved: Option<&Approved>,
        terms: &Terms,
        now: Now,
    ) -> bool {
        let entry = valid_entry(skill, grants, now);
        entry.is_ok_and(|entry| {
            self.check_risks(skill, tool, entry, approved).is_ok() && *self.cached_terms(skill, entry).0 == *terms
        })
    }

    /// What the host itself decides.
    pub const fn options(&self) -> &PolicyOptions {
        &self.options
    }

    /// Every risk that needs approval (commands of the host always do) is accepted by the grant, or was approved for
    /// this call under this very grant.
    fn check_risks(
        &self,
        skill: &Skill,
        tool: &Tool,
        entry: &GrantEntry,
        approved: Option<&Approved>,
    ) -> Result<(), Refusal> {
        let approved = approved.filter(|it| it.holds_for(skill, tool, entry));
        let commands = !entry.grant.capabilities.shell.is_empty();
        let open = |tag: &&String| {
            (self.options.require_approval_tags.contains(*tag) || (commands && *tag == SHELL_RISK))
                && !entry.grant.accepted_risks.contains(*tag)
                && !approved.is_some_and(|approved| approved.covers(tag))
        };
        let mut tags = tool.risk_tags.iter().filter(open).peekable();
        if tags.peek().is_none() {
            return Ok(());
        }
        let tags = tags.cloned().collect();
        Err(Refusal::ApprovalRequired { skill: skill.manifest.id.clone(), tool: tool.name.clone(), tags })
    }

    /// The terms of `skill` under one grant, made once for both.
    fn cached_terms(&self, skill: &Arc<Skill>, entry: &Arc<GrantEntry>) -> (Arc<Terms>, Arc<Basis>) {
        let key = Arc::as_ptr(skill).addr();
        let known = self.terms.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = known.get(&key).filter(|cached| Arc::ptr_eq(&cached.entry, entry)) {
            return (Arc::clone(&cached.terms), Arc::clone(&cached.basis));
        }
        drop(known);
        let terms = Arc::new(effective_terms(skill, &entry.grant, &self.options));
        let basis = Arc::new(Basis::new(skill, entry, &terms, &self.options.limits));
        let cached = Cached {
            skill: Arc::downgrade(skill),
            entry: Arc::clone(entry),
            terms: Arc::clone(&terms),
            basis: Arc::clone(&basis),
        };
        let mut known = self.terms.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_TERMS {
            known.retain(|_, cached| cached.skill.strong_count() > 0);
        }
        if known.len() < MAX_TERMS {
            known.insert(key, cached);
        }
        (terms, basis)
    }
}

/// How long the grant still holds. Its end is one more deadline: a call must not outlive it.
fn left(entry: &GrantEntry, now: Now) -> Option<Duration> {
    entry.grant.expires_at.map(|end| end.duration_since(now.time).unwrap_or_default())
}

/// The grant that holds for the bytes of `skill`.
fn valid_entry<'g>(skill: &Skill, grants: &'g Grants, now: Now) -> Result<&'g Arc<GrantEntry>, Refusal> {
    let id = &skill.manifest.id;
    if skill.manifest.kind == Kind::Prompt {
        return Err(Refusal::Prompt { skill: id.clone() });
    }
    if let Some(problem) = grants.problem() {
        return Err(Refusal::GrantsUnreadable { problem: problem.to_string() });
    }
    let Some(entry) = grants.of(id, &skill.digest) else { return Err(refusal::without_grant(skill, grants, now)) };
    if let Some(end) = entry.grant.expires_at.filter(|_| !entry.grant.holds_at(now.time)) {
        return Err(Refusal::Expired { skill: id.clone(), at: end });
    }
    match &entry.problem {
        Some(problem) => Err(Refusal::GrantInvalid { skill: id.clone(), problem: problem.clone() }),
        None => Ok(entry),
    }
}
