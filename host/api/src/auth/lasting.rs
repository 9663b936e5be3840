//! Callers of connections that outlive their request, and on which more is asked later.
//!
//! What such a caller may do is looked up anew each time: a key that is revoked, or over,
//! is good for nothing on a connection that is open either.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use axum::http::request::Parts;
use bailiwick_domain::invocation::Principal;

use super::caller::{LOOPBACK, Needs, Owner, Peer, bearer, is_local, refuse};
use super::keyring::BadKey;
use super::scope::{self, Scope};
use crate::problem::Failure;
use crate::state::ApiState;

/// What stands before the key where a browser offers it as a protocol.
const OFFERED_KEY: &str = "bearer.";

/// A caller who could do what `N` needs when the connection began.
pub(crate) struct Lasting<N: Needs>(Credential, PhantomData<N>);

/// What the caller showed. It is never logged, and has no form that could be.
enum Credential {
    /// Nothing, and owns the host.
    Owner(Principal),
    /// Nothing, at this very machine.
    Local,
    /// A key, as its token.
    Key(String),
}

impl<N: Needs> Lasting<N> {
    /// Who it is, if they may do what needs `needed` at this moment.
    pub(crate) fn may(&self, needed: Scope, state: &ApiState) -> Result<Principal, Failure> {
        let identity = match &self.0 {
            Credential::Owner(principal) => return Ok(principal.clone()),
            Credential::Local => Arc::clone(&LOOPBACK),
            Credential::Key(token) => state.keyring().identify(token).map_err(|bad| match bad {
                BadKey::Unavailable => Failure::keys_unavailable(),
                BadKey::Expired => Failure::bad_key(true),
                BadKey::Unknown => Failure::bad_key(false),
            })?,
        };
        if scope::covers(&identity.scopes, needed) {
            Ok(identity.principal.clone())
        } else {
            Err(Failure::forbidden_scope(needed))
        }
    }
}

impl<N: Needs> FromRequestParts<ApiState> for Lasting<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Failure> {
        let credential = match parts.extensions.get::<Owner>() {
            Some(owner) => Credential::Owner(owner.principal().clone()),
            None => shown(parts, state)?,
        };
        let caller = Self(credential, PhantomData);
        caller.may(N::SCOPE, state)?;
        Ok(caller)
    }
}

/// The one key that the request shows, if it is good now.
fn shown(parts: &Parts, state: &ApiState) -> Result<Credential, Failure> {
    let headers = &parts.headers;
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical());
    let in_header = headers.get_all(AUTHORIZATION).iter().map(|value| value.to_str().ok().and_then(bearer));
    let mut tokens = in_header.chain(offered(headers));
    match (tokens.next(), tokens.next()) {
        (None, _) if state.options().allow_unauthenticated_loopback && is_local(headers, peer) => Ok(Credential::Local),
        (None, _) => Err(Failure::no_key()),
        (Some(Some(token)), None) => match state.keyring().identify(token) {
            Ok(_) => Ok(Credential::Key(token.to_owned())),
            Err(bad) => Err(refuse(bad, peer, state)),
        },
        // Two keys are as good as none: nobody could say whose the connection is.
        _ => Err(refuse(BadKey::Unknown, peer, state)),
    }
}

/// Keys among the protocols that the client offers.
fn offered(headers: &HeaderMap) -> impl Iterator<Item = Option<&str>> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let protocols = values.flat_map(|value| value.split(',')).map(str::trim);
    protocols.filter_map(|protocol| protocol.strip_prefix(OFFERED_KEY)).map(Some)
}
