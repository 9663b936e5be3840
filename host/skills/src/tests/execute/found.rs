//! Which release and which tool a call means.

use bailiwick_domain::authority::SkillRule;
use bailiwick_domain::invocation::{Caller, Invocation};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::wit::ToolSignature;

use super::super::support::{ALL, Site, in_time, invocation, manifest, tool};
use super::{host, of_task};
use crate::execute::ExecuteError;
use crate::grants::NewGrant;

#[tokio::test]
async fn no_pin_of_a_caller_finds_what_its_rule_does_not_allow() {
    let site = Site::new();
    site.package("newer", &manifest("demo/p", "1.4.0-alpha", ""), &[tool("run"), tool("more")]);
    site.package("p", &manifest("demo/p", "1.3.0", ""), &[tool("run")]);
    let host = site.open();
    for release in ["demo/p@1.3.0", "demo/p@1.4.0-alpha"] {
        let new = NewGrant { giver: "ada".to_owned(), ..NewGrant::default() };
        host.grants.add(&host.skill(release), new).expect("given");
    }
    let selector = |text: &str| text.parse::<SkillSelector>().expect("a selector");
    let call = async |wanted: &str, asked: &str, granted: &str| {
        let allowed = SkillRule::of(&selector(asked), &selector(granted)).expect("one skill");
        let skill = allowed.cut(&selector(wanted));
        let caller = Caller {
            receipt: "0123".to_owned(),
            skill: "demo/caller".parse().expect("an id"),
            depth: 1,
            budget: LimitsRequest::default(),
            allowed,
            run: None,
        };
        let tool = Some("run".to_owned());
        let done = host.execute(Invocation { skill, tool, caller: Some(caller), ..invocation("demo/p") }).await;
        done.map(|done| done.receipt.version.to_string()).map_err(|error| error.code())
    };
    let pin = "demo/p@1.4.0-alpha";
    for (asked, granted) in [("demo/p@^1.2", "demo/p@<1.5"), ("demo/p@>=1.4.0-alpha", "demo/p"), ("demo/p", pin)] {
        assert_eq!(call(pin, asked, granted).await, Err("version-not-found"), "{asked} {granted}");
    }
    assert_eq!(call("demo/p", "demo/p@>=1.3.0-rc.1", "demo/p@^1").await, Ok("1.3.0".to_owned()));
    assert_eq!(call(pin, pin, "demo/p@>=1.4.0-alpha").await, Ok("1.4.0-alpha".to_owned()), "both name it");
}

#[tokio::test]
async fn a_run_calls_no_other_bytes_than_those_that_it_began_with() {
    let host = host();
    let call = of_task(&host, 1);
    host.execute(call.clone()).await.expect("the bytes that it began with");
    let before = host.skill("demo/p").digest;
    // The same release with the same tool, and granted.
    let other = ToolSignature { docs: None, ..tool("run") };
    host.site.package("p", &manifest("demo/p", "1.0.0", ALL), &[other]);
    host.registry.reload();
    host.grant("demo/p");
    let error = host.execute(call).await.expect_err("other bytes");
    assert_eq!(error.code(), "other-bytes");
    let ExecuteError::OtherBytes { pinned, found, .. } = error else { panic!("{error}") };
    assert_eq!((*pinned, *found), (before, host.skill("demo/p").digest));
    assert_eq!(host.sandbox.calls(), 1, "the guest never ran");
    host.execute(of_task(&host, 1)).await.expect("a run that begins now has these");
}

#[tokio::test]
async fn a_listed_tool_is_idempotent_where_its_call_is() {
    let ours =
        |function: &str| ToolSignature { interface: Some("bailiwick:skill/tools@0.1.0".to_owned()), ..tool(function) };
    let (yes, no) = ("[tools.\"tools.call\"]\nidempotent = true", "[tools.\"tools.call\"]\nidempotent = false");
    for (rest, idempotent) in [
        (format!("idempotent = true\n{no}"), false),
        (yes.to_owned(), true),
        ("idempotent = true".to_owned(), true),
        ("[tools.\"tools.list\"]\nidempotent = true".to_owned(), false),
    ] {
        let site = Site::new();
        site.package("p", &manifest("demo/p", "1.0.0", &rest), &[tool("run"), ours("list"), ours("call")]);
        let host = site.open();
        let new = NewGrant { giver: "ada".to_owned(), ..NewGrant::default() };
        host.grants.add(&host.skill("demo/p"), new).expect("given");
        host.sandbox.answer(r#"[{ "name": "dig", "input-schema": "{}" }]"#);
        let listed = in_time(host.executor.listed_tools(&invocation("demo/p"))).await.expect("they are listed");
        let listed: Vec<_> = listed.iter().map(|tool| (tool.name.as_str(), tool.idempotent)).collect();
        assert_eq!(listed, [("dig", idempotent)], "{rest}");
    }
}
