//! Changes that several people make at the same moment.

use std::sync::Barrier;
use std::thread;

use bailiwick_journal::{Shelf, Undone};
use serde_json::{Value, json};

use super::super::support::{ALL, everything, manifest, tool};
use super::host;
use crate::grants::{GrantError, Grants, Narrowing, NewGrant};

/// So often, because what goes wrong goes wrong now and then.
const ROUNDS: usize = 50;

/// What comes of both, which begin together as nearly as can be.
fn at_once<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            start.wait();
            one()
        });
        start.wait();
        let other = other();
        (one.join().expect("no panic"), other)
    })
}

#[test]
fn changes_at_once_lose_nothing() {
    let host = host();
    let (grants, skill, data) = (&*host.grants, host.skill("demo/p"), host.site.data("work"));
    let id = skill.manifest.id.clone();
    let narrow = |what: Value| {
        let narrowing = Narrowing::from_json(&what).expect("it is understood");
        grants.narrow(&id, None, &narrowing, "ada").map(drop)
    };
    let state = || narrow(json!({ "state": true }));
    let give = |one_shot: bool| grants.add(&skill, NewGrant { one_shot, ..everything(&data) }).expect("given");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for round in 0..ROUNDS {
        give(false);
        let (one, other) = at_once(state, || narrow(json!({ "config": ["mode"] })));
        let given = grants.list().remove(0).grant.capabilities.clone();
        assert!(one.is_ok() && other.is_ok(), "{round}: {one:?} {other:?}");
        assert!(given.state.is_none() && !given.config.contains_key("mode"), "{round}: {given:?}");

        give(false);
        let (narrowed, revoked) = at_once(state, || grants.revoke(&id, None, "bob").expect("revoked"));
        assert!(grants.list().is_empty(), "{round}: what was taken back is there again");
        assert_eq!(revoked.len(), 1, "{round}");
        let narrowed_first = revoked[0].capabilities.state.is_none();
        assert_eq!(narrowed.is_ok(), narrowed_first, "{round}: {narrowed:?}, and {revoked:?} was taken back");

        let entry = give(true);
        let (narrowed, used) =
            at_once(state, || runtime.block_on(grants.use_up(&entry, "key:ci")).expect("it is kept"));
        let grant = grants.list().remove(0).grant.clone();
        assert!(narrowed.is_ok() && grant.capabilities.state.is_none(), "{round}: {narrowed:?} {grant:?}");
        assert_eq!(grant.used_at.is_some(), used, "{round}: a call began by it, or none did");

        give(true);
        let (narrowed, called) = at_once(state, || runtime.block_on(host.call("demo/p")));
        assert!(narrowed.is_ok(), "{round}: {narrowed:?}");
        let code = called.err().map(|error| error.code());
        assert!(matches!(code, None | Some("revoked")), "{round}: {code:?}, and nobody has used it");
    }
}

#[test]
fn a_grant_that_another_release_wrote_is_used_up_once() {
    let host = host();
    let new = NewGrant { one_shot: true, ..everything(&host.site.data("work")) };
    let entry = host.grants.add(&host.skill("demo/p"), new).expect("given");
    let [(key, document)] = host.journal.documents(Shelf::Grants).expect("read").try_into().expect("one grant");
    let document = [&b"# the same in other words\n"[..], &document].concat();
    let written = host.journal.update_blocking(move |batch| {
        batch.put(Shelf::Grants, key, document);
        Ok::<_, Undone>(Ok::<(), ()>(()))
    });
    written.expect("the journal writes").expect("no refusal");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for first in [true, false] {
        assert_eq!(runtime.block_on(host.grants.use_up(&entry, "key:ci")).expect("it is kept"), first);
    }
}

#[test]
fn an_acceptance_gives_nothing_back_that_new_bytes_lost_meanwhile() {
    let host = host();
    host.site.package("next", &manifest("demo/p", "1.1.0", ALL), &[tool("run"), tool("more")]);
    host.registry.reload();
    let (grants, next) = (&*host.grants, host.skill("demo/p@1.1.0"));
    let new = NewGrant { one_shot: true, ..everything(&host.site.data("work")) };
    grants.add(&host.skill("demo/p@1.0.0"), new).expect("given");
    let given = || grants.current().of(&next.manifest.id, &next.digest).expect("it has a grant").clone();
    let accept_by = |known: &Grants| grants.accept_by(known, &next, next.digest, "bob").map(drop);

    let before = grants.current();
    grants.accept(&next, next.digest, "ada").expect("accepted");
    let accepted = grants.current();
    let narrowing = Narrowing::from_json(&json!({ "state": true })).expect("it is understood");
    grants.narrow(&next.manifest.id, Some(next.digest), &narrowing, "ada").expect("narrowed");
    let narrowed = grants.current();
    for known in [&before, &accepted] {
        assert!(matches!(accept_by(known), Err(GrantError::Changed(_))));
        assert!(given().grant.capabilities.state.is_none(), "what was taken away is there again");
    }

    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert!(runtime.block_on(grants.use_up(&given(), "key:ci")).expect("it is kept"));
    assert!(matches!(accept_by(&narrowed), Err(GrantError::Changed(_))));
    assert!(given().grant.used_at.is_some(), "one call more may begin");

    // Whoever knows of both may give it anew.
    accept_by(&grants.current()).expect("accepted");
    assert!(given().grant.used_at.is_none() && given().grant.capabilities.state.is_some());
}

#[test]
fn what_is_taken_back_at_once_is_accepted_for_no_new_bytes() {
    let host = host();
    host.site.package("next", &manifest("demo/p", "1.1.0", ALL), &[tool("run"), tool("more")]);
    host.registry.reload();
    let (grants, next) = (&*host.grants, host.skill("demo/p@1.1.0"));
    for round in 0..ROUNDS {
        host.grant("demo/p@1.0.0");
        let (accepted, revoked) = at_once(
            || grants.accept(&next, next.digest, "ada").map(drop),
            || grants.revoke(&next.manifest.id, None, "bob").expect("revoked"),
        );
        let refused = matches!(accepted, Err(GrantError::NoSuchGrant(_) | GrantError::Changed(_)));
        assert!(accepted.is_ok() || refused, "{round}: {accepted:?}");
        assert!(grants.list().is_empty(), "{round}: {accepted:?}");
        assert_eq!(revoked.len(), if refused { 1 } else { 2 }, "{round}: {accepted:?}");
    }
}
