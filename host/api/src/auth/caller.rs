//! The extractor that lets a request in: a handler that takes [`Allowed`] runs
//! only for callers who have its scope.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, FORWARDED, VIA};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use bailiwick_domain::invocation::Principal;

use super::keyring::{BadKey, Identity};
use super::scope::{self, Scope};
use crate::problem::Failure;
use crate::state::ApiState;

/// The other end of the connection. The server puts it into each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Who owns the data folder, and so this host: whoever reaches its control socket,
/// which only the owner can, or the process that holds the host itself.
#[derive(Clone, Debug)]
pub struct Owner(Principal);

impl Owner {
    /// The owner under a name for records: `cli:ada`.
    pub fn named(name: &str) -> Self {
        Self(Principal { name: name.into() })
    }

    pub(super) const fn principal(&self) -> &Principal {
        &self.0
    }
}

/// A scope as a type, so that a handler's signature says what it needs.
pub(crate) trait Needs: Send + Sync + 'static {
    const SCOPE: Scope;
}

/// Needs [`Scope::SkillsRead`].
pub(crate) struct Read;

/// Needs [`Scope::SkillsExecute`].
pub(crate) struct Execute;

/// Needs [`Scope::ApprovalsAnswer`].
pub(crate) struct Answer;

/// Needs [`Scope::RunsRead`].
pub(crate) struct ReadRuns;

/// Needs [`Scope::RunsSubmit`].
pub(crate) struct SubmitRuns;

/// Needs [`Scope::AuditRead`].
pub(crate) struct Audit;

/// Needs [`Scope::Admin`].
pub(crate) struct Admin;

impl Needs for Answer {
    const SCOPE: Scope = Scope::ApprovalsAnswer;
}

impl Needs for ReadRuns {
    const SCOPE: Scope = Scope::RunsRead;
}

impl Needs for SubmitRuns {
    const SCOPE: Scope = Scope::RunsSubmit;
}

impl Needs for Audit {
    const SCOPE: Scope = Scope::AuditRead;
}

impl Needs for Admin {
    const SCOPE: Scope = Scope::Admin;
}

impl Needs for Read {
    const SCOPE: Scope = Scope::SkillsRead;
}

impl Needs for Execute {
    const SCOPE: Scope = Scope::SkillsExecute;
}

/// A caller who may do what `N` needs.
pub(crate) struct Allowed<N: Needs>(pub(crate) Principal, PhantomData<N>);

impl<N: Needs> FromRequestParts<ApiState> for Allowed<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Failure> {
        if let Some(Owner(principal)) = parts.extensions.get::<Owner>() {
            return Ok(Self(principal.clone(), PhantomData));
        }
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical());
        let identity = identify(&parts.headers, peer, state)?;
        if scope::covers(&identity.scopes, N::SCOPE) {
            Ok(Self(identity.principal.clone(), PhantomData))
        } else {
            Err(Failure::forbidden_scope(N::SCOPE))
        }
    }
}

fn identify(headers: &HeaderMap, peer: Option<IpAddr>, state: &ApiState) -> Result<Arc<Identity>, Failure> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else {
        let trusted = state.options().allow_unauthenticated_loopback && is_local(headers, peer);
        return if trusted { Ok(Arc::clone(&LOOPBACK)) } else { Err(Failure::no_key()) };
    };
    let token = value.to_str().ok().and_then(bearer).filter(|_| given.next().is_none());
    let identified = token.map_or(Err(BadKey::Unknown), |token| state.keyring().identify(token));
    identified.map_err(|bad| refuse(bad, peer, state))
}

pub(super) fn refuse(bad: BadKey, peer: Option<IpAddr>, state: &ApiState) -> Failure {
    if bad == BadKey::Unavailable {
        return Failure::keys_unavailable();
    }
    if let Some(wait) = state.throttle().failed(peer, state.clock().instant()) {
        return Failure::too_many_attempts(wait);
    }
    let (expired, peer) = (bad == BadKey::Expired, peer.map(tracing::field::display));
    tracing::warn!(peer, expired, "refused a bad API key");
    Failure::bad_key(expired)
}

/// Somebody at this very machine. Not an administrator: nothing was shown.
pub(super) static LOOPBACK: LazyLock<Arc<Identity>> = LazyLock::new(|| {
    let scopes = BTreeSet::from([Scope::SkillsRead, Scope::SkillsExecute, Scope::RunsRead, Scope::RunsSubmit]);
    Arc::new(Identity { principal: Principal { name: "loopback".into() }, scopes })
});

/// Headers by which a proxy on this machine says that it passes on a request of somebody elsewhere.
static FORWARDING: [HeaderName; 8] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("cf-connecting-ip"),
    HeaderName::from_static("true-client-ip"),
];

/// Whether the request was made on this machine, as far as anyone can see.
pub(super) fn is_local(headers: &HeaderMap, peer: Option<IpAddr>) -> bool {
    peer.is_some_and(|address| address.is_loopback()) && !FORWARDING.iter().any(|name| headers.contains_key(name))
}

/// The token behind `Bearer`.
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
