//! The intersection, field by field, and every refusal.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::authority::{Access, FsMount, HttpDeny, HttpTarget, Scheme};
use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant, Seen};
use bailiwick_domain::limits::{Limits, LimitsPolicy, LimitsRequest};
use bailiwick_domain::permit::{self, PermitVerifier, Terms};
use bailiwick_domain::quota::{Quota, StateQuota};

use super::script::midnight;
use super::support::{ALL, Host, Site, everything, manifest, mount, rule, tool};
use crate::policy::{Now, Policy, PolicyOptions, Refusal, Wish, effective_terms};

fn policy(options: PolicyOptions) -> (Policy, PermitVerifier) {
    let (issuer, verifier) = permit::authority();
    (Policy::new(issuer, options), verifier)
}

fn now(host: &Host) -> Now {
    Now::by(&*host.site.clock)
}

/// The terms of a skill with `asked` in its manifest under a grant of `granted`
/// that nobody checked, as after an edit by hand.
fn terms(asked: &str, granted: Capabilities, limits: LimitsRequest) -> Terms {
    terms_on(&PolicyOptions::default(), asked, granted, limits)
}

/// The same on a host of its own mind.
fn terms_on(options: &PolicyOptions, asked: &str, granted: Capabilities, limits: LimitsRequest) -> Terms {
    let site = Site::new();
    site.package("p", &manifest("demo/p", "1.0.0", asked), &[tool("run")]);
    let host = site.open();
    let skill = host.skill("demo/p");
    let grant = Grant {
        skill: skill.manifest.id.clone(),
        digest: skill.digest,
        giver: "ada".to_owned(),
        given_at: midnight(),
        expires_at: None,
        reason: None,
        capabilities: granted,
        accepted_risks: [].into(),
        limits,
        one_shot: false,
        used_at: None,
        seen: Seen::default(),
    };
    effective_terms(&skill, &grant, options)
}

fn capabilities() -> Capabilities {
    everything("/host/work".as_ref()).capabilities
}

#[test]
fn models_are_had_in_the_order_of_the_authors_preferences() {
    let asked =
        "model_preferences = [\"large\", \"other\"]\n\n[permissions]\nmodels = [\"small\", \"large\", \"tiny\"]\n";
    let granted = ["tiny", "large", "small"].map(str::to_owned).to_vec();
    let terms = terms(asked, Capabilities { models: granted, ..capabilities() }, LimitsRequest::default());
    assert_eq!(terms.models, ["large", "tiny", "small"], "others stay as they were granted");
}

#[test]
fn what_is_granted_and_not_asked_for_is_not_had() {
    let terms = terms("", capabilities(), LimitsRequest::default());
    assert!(terms.fs.is_empty());
    assert_eq!((terms.state, terms.workspace), (None, None));
    assert!(terms.config.is_empty());
    assert!(!allows(&terms, "GET", "api.example.com"));
}

#[test]
fn what_is_asked_for_and_not_granted_is_not_had() {
    let terms = terms(ALL, Capabilities::default(), LimitsRequest::default());
    assert!(terms.fs.is_empty());
    assert_eq!((terms.state, terms.workspace), (None, None));
    assert!(terms.config.is_empty());
    assert!(!allows(&terms, "GET", "api.example.com"));
}

#[test]
fn what_is_both_is_had() {
    let terms = terms(ALL, capabilities(), LimitsRequest::default());
    let quota = Quota { max_bytes: 10 << 20, ..Quota::default() };
    assert_eq!(terms.fs, [FsMount { quota, ..mount("/work", "/host/work".as_ref(), Access::ReadWrite) }]);
    // The lesser of what is asked for and granted, number by number.
    assert_eq!(terms.workspace, Some(Quota { max_bytes: 3 << 20, max_files: 20 }));
    assert_eq!(terms.state, Some(StateQuota { max_bytes: 1 << 20, max_keys: 9 }));
    assert_eq!(terms.config, capabilities().config);
    assert!(allows(&terms, "GET", "api.example.com"));
    assert!(!allows(&terms, "GET", "www.example.com"), "the grant names one host");
    assert!(!allows(&terms, "PUT", "api.example.com"), "neither names the method");
}

fn allows(terms: &Terms, method: &str, host: &str) -> bool {
    terms.http.allows(&HttpTarget { method, scheme: Scheme::Https, host, port: 443, path: "/" })
}

#[test]
fn a_folder_is_had_below_what_is_asked_for_and_with_the_lesser_access() {
    let asked = "[[permissions.fs]]\nroot = \"/in\"\naccess = \"read\"\n[[permissions.fs]]\nroot = \"/out\"\naccess = \"read-write\"";
    let host = "/host".as_ref();
    let granted = |root, access| {
        let fs = vec![mount(root, host, access)];
        terms(asked, Capabilities { fs, ..Capabilities::default() }, LimitsRequest::default()).fs
    };
    assert_eq!(granted("/in", Access::ReadWrite), [mount("/in", host, Access::Read)]);
    assert_eq!(granted("/out", Access::ReadWrite), [mount("/out", host, Access::ReadWrite)]);
    assert_eq!(granted("/out", Access::Read), [mount("/out", host, Access::Read)]);
    assert_eq!(granted("/in/deep", Access::ReadWrite), [mount("/in/deep", host, Access::Read)]);
    assert_eq!(granted("/inner", Access::Read), []);
    // Above what is asked for lies more than that.
    let asked = asked.replace("/in", "/in/deep");
    let fs = vec![mount("/in", host, Access::Read)];
    assert_eq!(terms(&asked, Capabilities { fs, ..Capabilities::default() }, LimitsRequest::default()).fs, []);
}

#[test]
fn only_keys_that_are_asked_for_are_had() {
    let terms = terms("[permissions]\nconfig = [\"mode\"]", capabilities(), LimitsRequest::default());
    assert_eq!(terms.config, [("mode".to_owned(), "fast".to_owned())].into());
}

#[test]
fn only_secrets_that_are_asked_for_are_had() {
    let granted = || Capabilities {
        secrets: ["asked", "other"].map(|name| (name.to_owned(), vec!["a.com".parse().expect("a host")])).into(),
        ..Capabilities::default()
    };
    let had = |asked: &str| terms(asked, granted(), LimitsRequest::default()).secrets.into_keys().collect::<Vec<_>>();
    assert_eq!(had("[permissions]\nsecrets = [\"asked\", \"more\"]"), ["asked"]);
    assert!(had("").is_empty());
}

#[test]
fn what_the_manifest_the_grant_or_the_host_denies_is_denied() {
    let deny = |host: &str| vec![HttpDeny::of(host.parse().expect(host))];
    let asked = |more: &str| format!("[[permissions.http]]\nhost = \"*\"\nmethods = [\"GET\"]\n{more}");
    let granted = |http_deny| Capabilities { http: vec![rule("*", &["GET"])], http_deny, ..Capabilities::default() };
    let host = |http_deny| PolicyOptions { http_deny, ..PolicyOptions::default() };
    let promised = asked("[[permissions.http_deny]]\nhost = \"a.com\"\n");
    for (options, asked, granted) in [
        (host(vec![]), promised.as_str(), granted(vec![])),
        (host(vec![]), &asked(""), granted(deny("a.com"))),
        (host(deny("a.com")), &asked(""), granted(vec![])),
    ] {
        let terms = terms_on(&options, asked, granted, LimitsRequest::default());
        assert!(!allows(&terms, "GET", "a.com") && allows(&terms, "GET", "b.com"), "{terms:?}");
    }
}

#[test]
fn every_limit_is_cut_by_the_grant_and_the_ceiling() {
    let asked = Limits {
        memory_bytes: 32 << 20,
        table_elements: 1000,
        instances: 5,
        deadline: Duration::from_secs(5),
        fuel: Some(1000),
        host_calls: 50,
        input_bytes: 32 << 10,
        output_bytes: 64 << 10,
        skill_calls: 11,
        model_calls: 12,
        model_tokens: 1300,
        http_requests: 6,
        http_sent_bytes: 7 << 10,
        http_received_bytes: 8 << 10,
        log_bytes: 9 << 10,
        random_bytes: 10 << 10,
        concurrency: 4,
    };
    let of = |limits| terms(ALL, Capabilities::default(), limits).limits;
    let none = LimitsRequest::default;
    assert_eq!(of(none()), asked);
    assert_eq!(of(LimitsRequest { memory_bytes: Some(1), ..none() }), Limits { memory_bytes: 1, ..asked.clone() });
    let second = Duration::from_secs(1);
    assert_eq!(of(LimitsRequest { deadline: Some(second), ..none() }), Limits { deadline: second, ..asked.clone() });
    assert_eq!(of(LimitsRequest { fuel: Some(9), ..none() }), Limits { fuel: Some(9), ..asked.clone() });
    assert_eq!(of(LimitsRequest { output_bytes: Some(2), ..none() }), Limits { output_bytes: 2, ..asked.clone() });
    assert_eq!(of(LimitsRequest { concurrency: Some(1), ..none() }), Limits { concurrency: 1, ..asked.clone() });
    for (less, expected) in [
        (LimitsRequest { table_elements: Some(1), ..none() }, Limits { table_elements: 1, ..asked.clone() }),
        (LimitsRequest { instances: Some(1), ..none() }, Limits { instances: 1, ..asked.clone() }),
        (LimitsRequest { host_calls: Some(1), ..none() }, Limits { host_calls: 1, ..asked.clone() }),
        (LimitsRequest { input_bytes: Some(1), ..none() }, Limits { input_bytes: 1, ..asked.clone() }),
        (LimitsRequest { skill_calls: Some(1), ..none() }, Limits { skill_calls: 1, ..asked.clone() }),
        (LimitsRequest { model_calls: Some(1), ..none() }, Limits { model_calls: 1, ..asked.clone() }),
        (LimitsRequest { model_tokens: Some(1), ..none() }, Limits { model_tokens: 1, ..asked.clone() }),
        (LimitsRequest { http_requests: Some(1), ..none() }, Limits { http_requests: 1, ..asked.clone() }),
        (LimitsRequest { http_sent_bytes: Some(1), ..none() }, Limits { http_sent_bytes: 1, ..asked.clone() }),
        (LimitsRequest { http_received_bytes: Some(1), ..none() }, Limits { http_received_bytes: 1, ..asked.clone() }),
        (LimitsRequest { log_bytes: Some(1), ..none() }, Limits { log_bytes: 1, ..asked.clone() }),
        (LimitsRequest { random_bytes: Some(1), ..none() }, Limits { random_bytes: 1, ..asked.clone() }),
    ] {
        assert_eq!(of(less), expected);
    }
    let wide = LimitsRequest { memory_bytes: Some(u64::MAX), fuel: Some(u64::MAX), concurrency: Some(99), ..none() };
    assert_eq!(of(wide), asked, "a grant never widens");
    let greedy = terms("[limits]\nmemory = \"100 GiB\"\ndeadline = \"9 h\"", Capabilities::default(), none()).limits;
    let ceiling = LimitsPolicy::default().ceiling;
    assert_eq!((greedy.memory_bytes, greedy.deadline), (ceiling.memory_bytes, ceiling.deadline));
}

#[test]
fn refusals_say_what_to_do() {
    let host = Site::new().with("p").open();
    let (policy, _) = policy(PolicyOptions::default());
    let skill = host.skill("demo/p");
    let refusal = || {
        policy
            .decide(&skill, &skill.tools[0], &host.grants.current(), None, Wish::default(), now(&host))
            .expect_err("refused")
    };
    assert_eq!(refusal().to_string(), "nothing is granted to `demo/p`: review it with `bailiwick grant add demo/p`");
    assert_eq!(refusal().code(), "no-grant");
    // The code changes under a grant.
    host.grant("demo/p");
    let old = skill.digest;
    host.site.package("p", &manifest("demo/p", "1.0.0", ALL), &[tool("run"), tool("new")]);
    host.registry.reload();
    let skill = host.skill("demo/p");
    let refusal = || {
        policy
            .decide(&skill, &skill.tools[0], &host.grants.current(), None, Wish::default(), now(&host))
            .expect_err("refused")
    };
    let suspended = refusal();
    assert_eq!(
        suspended,
        Refusal::Suspended { skill: skill.manifest.id.clone(), digest: skill.digest, granted: vec![old] }
    );
    let text = suspended.to_string();
    assert!(text.contains(&old.to_string()) && text.contains(&skill.digest.to_string()), "{text}");
    assert_ne!(old, Digest::of(b""));
}

#[test]
fn a_grant_ends_when_it_says() {
    let host = Site::new().with("p").open();
    let (policy, _) = policy(PolicyOptions::default());
    let skill = host.skill("demo/p");
    let mut new = everything(&host.site.data("work"));
    new.expires_at = Some(midnight() + Duration::from_secs(10));
    host.grants.add(&skill, new).expect("the grant is given");
    let decide = || policy.decide(&skill, &skill.tools[0], &host.grants.current(), None, Wish::default(), now(&host));
    host.site.clock.advance(Duration::from_secs(7));
    let permit = decide().expect("it still holds").permit;
    assert_eq!(permit.deadline() - host.site.clock.instant(), Duration::from_secs(3), "a call ends with its grant");
    host.site.clock.advance(Duration::from_secs(3));
    let refusal = decide().expect_err("it is over");
    assert!(matches!(refusal, Refusal::Expired { at, .. } if at == midnight() + Duration::from_secs(10)));
    assert!(refusal.to_string().contains("2027-01-15T08:00:10Z"), "{refusal}");
    // A grant that is over says nothing of other bytes.
    host.site.package("p", &manifest("demo/p", "1.0.0", ALL), &[tool("run"), tool("new")]);
    host.registry.reload();
    let skill = host.skill("demo/p");
    let refusal = policy
        .decide(&skill, &skill.tools[0], &host.grants.current(), None, Wish::default(), now(&host))
        .expect_err("none");
    assert_eq!(refusal.code(), "no-grant");
}

#[test]
fn the_soonest_deadline_holds() {
    let host = Site::new().with("p").open();
    host.grant("demo/p");
    let (policy, verifier) = policy(PolicyOptions::default());
    let skill = host.skill("demo/p");
    let given = |asked| {
        let permit = policy
            .decide(
                &skill,
                &skill.tools[0],
                &host.grants.current(),
                None,
                Wish { deadline: asked, ..Wish::default() },
                now(&host),
            )
            .expect("allowed")
            .permit;
        assert!(verifier.accepts(&permit));
        permit.deadline() - host.site.clock.instant()
    };
    assert_eq!(given(None), Duration::from_secs(5));
    assert_eq!(given(Some(Duration::from_secs(9))), Duration::from_secs(5));
    assert_eq!(given(Some(Duration::from_secs(2))), Duration::from_secs(2));
    assert_eq!(given(Some(Duration::MAX)), Duration::from_secs(5));
}

#[test]
fn a_callers_budget_cuts_every_limit_and_widens_none() {
    let host = Site::new().with("p").open();
    host.grant("demo/p");
    let (policy, _) = policy(PolicyOptions::default());
    let skill = host.skill("demo/p");
    let decide = |budget: Option<&LimitsRequest>| {
        let wish = Wish { budget, ..Wish::default() };
        policy.decide(&skill, &skill.tools[0], &host.grants.current(), None, wish, now(&host)).expect("allowed")
    };
    let own = decide(None).permit.terms().limits.clone();
    let budget = LimitsRequest {
        host_calls: Some(3),
        fuel: Some(9),
        deadline: Some(Duration::from_millis(70)),
        memory_bytes: Some(u64::MAX),
        ..LimitsRequest::default()
    };
    let cut = decide(Some(&budget));
    let deadline = Duration::from_millis(70);
    assert_eq!(cut.permit.terms().limits, Limits { host_calls: 3, fuel: Some(9), deadline, ..own.clone() });
    assert_eq!(cut.permit.time(), deadline);
    assert_eq!(cut.terms.limits, own, "what holds for every call is not cut");
}

#[test]
fn risks_that_need_approval_must_be_accepted() {
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
    let require = PolicyOptions { require_approval_tags: tags(&["writes", "pays"]), ..PolicyOptions::default() };
    let site = Site::new();
    let rest = "risk_tags = [\"writes\", \"slow\"]\n[tools.pay]\nrisk_tags = [\"pays\", \"writes\"]\n[tools.look]\nrisk_tags = []";
    site.package("p", &manifest("demo/p", "1.0.0", rest), &[tool("run"), tool("pay"), tool("look")]);
    let host = site.open();
    let skill = host.skill("demo/p");
    let (policy, _) = policy(require);
    let missing = |accepted: &[&str]| {
        let mut new = everything(&host.site.data("work"));
        new.capabilities = Capabilities::default();
        new.accepted_risks = tags(accepted);
        host.grants.add(&skill, new).expect("the grant is given");
        let missing = |name: &str| {
            let tool = skill.tool(name).expect("a tool");
            match policy.decide(&skill, tool, &host.grants.current(), None, Wish::default(), now(&host)) {
                Ok(_) => vec![],
                Err(Refusal::ApprovalRequired { tags, .. }) => tags,
                Err(other) => panic!("another refusal: {other}"),
            }
        };
        [missing("run"), missing("pay"), missing("look")]
    };
    assert_eq!(missing(&[]), [vec!["writes"], vec!["pays", "writes"], vec![]]);
    assert_eq!(missing(&["writes"]), [vec![], vec!["pays"], vec![]]);
    assert_eq!(missing(&["writes", "pays"]), [vec![] as Vec<&str>, vec![], vec![]]);
    missing(&[]);
    let refusal = policy
        .decide(&skill, &skill.tools[1], &host.grants.current(), None, Wish::default(), now(&host))
        .expect_err("refused");
    let text = refusal.to_string();
    assert!(text.contains("`pays`, `writes`"), "{text}");
}

#[test]
fn a_grant_that_can_not_be_used_allows_nothing_and_names_no_folder() {
    let host = Site::new().with("p").open();
    host.grant("demo/p");
    let work = host.site.data("work");
    std::fs::remove_dir(&work).expect("remove");
    let grants = host.site.open_grants(&host.journal);
    let (policy, _) = policy(PolicyOptions::default());
    let skill = host.skill("demo/p");
    let refusal = || {
        policy
            .decide(&skill, &skill.tools[0], &grants.current(), None, Wish::default(), now(&host))
            .expect_err("refused")
    };
    assert!(matches!(refusal(), Refusal::GrantInvalid { .. }));
    assert!(!refusal().to_string().contains("data"), "{}", refusal());
}

#[test]
fn terms_are_made_once_for_a_skill_and_its_grant() {
    let host = Site::new().with("p").open();
    host.grant("demo/p");
    let (policy, _) = policy(PolicyOptions::default());
    let terms = || policy.terms(&host.skill("demo/p"), &host.grants.current(), now(&host)).expect("allowed");
    let first = terms();
    assert!(Arc::ptr_eq(&first, &terms()));
    // Another grant, and then another manifest, make others.
    let mut new = everything(&host.site.data("work"));
    new.capabilities.http = vec![rule("www.example.com", &["GET"])];
    host.grants.add(&host.skill("demo/p"), new).expect("the grant is given");
    let second = terms();
    assert_eq!(second.http.granted, [rule("www.example.com", &["GET"])]);
    host.site.package("p", &manifest("demo/p", "1.0.0", ""), &[tool("run")]);
    host.registry.reload();
    let third = terms();
    assert_eq!(third.digest, second.digest, "the code is the same");
    assert!(third.fs.is_empty(), "and it asks for nothing any more");
}
