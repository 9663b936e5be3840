//! Parts of a call on their own, by Criterion.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_benches::call::{Echo, Prepared};
use bailiwick_benches::floor::Floor;
use bailiwick_benches::guests;
use bailiwick_benches::host::{Host, Installation, echo_arguments};
use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::permit::authority;
use bailiwick_domain::trace::TraceContext;
use bailiwick_server::clock::SystemClock;
use bailiwick_skills::policy::{Now, Policy, PolicyOptions, Wish};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Long enough for steady figures, short enough to be run often.
const TIME: Duration = Duration::from_secs(2);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A fresh instance that gives 64 bytes back.
fn call(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("call");
    let guest = guests::rust();
    let (host, floor) = (Prepared::new(&guest), Floor::new(&guest));
    group.bench_function("host", |bencher| bencher.iter(|| runtime.block_on(Echo::echo(&host))));
    group.bench_function("floor", |bencher| bencher.iter(|| runtime.block_on(Echo::echo(&floor))));
    group.finish();
}

/// Values of every type there is, to the guest and back.
fn values(criterion: &mut Criterion) {
    let runtime = runtime();
    let host = Host::new(&guests::component("foreign"));
    let tool = host.tool("same");
    let mut group = criterion.benchmark_group("values");
    for count in [1, 100] {
        let arguments = json!({ "items": vec![item(); count] });
        let call = || runtime.block_on(host.call(tool, &arguments));
        let back: Value = serde_json::from_str(&call()).expect("JSON");
        assert_eq!(back, arguments["items"], "a value changed on its way");
        group.bench_function(format!("{count} items"), |bencher| bencher.iter(call));
    }
    group.finish();
}

/// An item with everything in it that a value can be.
fn item() -> Value {
    json!({
        "id": 7,
        "delta": -12,
        "small": [-1, 2, -300, 40_000, -70_000, 4_000_000_000_u32],
        "name": "oak plank, two metres",
        "place": { "aisle": "B", "at": [12.25, 1.5] },
        "material": { "mixture": [["oak", 0.75], ["glue", 0.25]] },
        "urgency": "high",
        "handling": ["fragile", "upright"],
        "note": { "some": "keep dry" },
        "checked": { "ok": true },
        "sealed": { "err": null },
        "data": "AAECAwQFBgcICQ==",
        "ok": true
    })
}

/// What stands before a call: the decision alone, and all but HTTP.
fn path(criterion: &mut Criterion) {
    let runtime = runtime();
    let installation = Installation::new(1, 1);
    let mut group = criterion.benchmark_group("path");
    let app = installation.open();
    let (grants, registry) = (app.grants.current(), Arc::clone(&app.registry));
    let skill = registry.catalog().releases(&guests::skill_id(0).parse().expect("an id"))[0].clone();
    let tool = skill.tool("echo").expect("the tool");
    let (issuer, _) = authority();
    let policy = Policy::new(issuer, PolicyOptions::default());
    group.bench_function("policy decision", |bencher| {
        bencher.iter(|| {
            policy.decide(&skill, tool, &grants, None, Wish::default(), Now::by(&SystemClock)).expect("allowed")
        });
    });
    let executor = app.into_executor(&installation.config());
    group.bench_function("execute without HTTP", |bencher| {
        bencher.iter(|| runtime.block_on(executor.execute(invocation())).expect("an answer"));
    });
    group.finish();
}

fn invocation() -> Invocation {
    Invocation {
        skill: guests::skill_id(0).parse().expect("an id"),
        tool: Some("echo".to_owned()),
        arguments: echo_arguments(),
        principal: Principal { name: "bench".into() },
        trace: TraceContext { trace_id: [1; 16], span_id: [1; 8], sampled: false },
        trace_state: None,
        deadline: None,
        idempotency_key: None,
        approval_wait: Duration::ZERO,
        caller: None,
        run: None,
    }
}

criterion_group! {
    name = micro;
    config = Criterion::default().measurement_time(TIME).warm_up_time(TIME / 4).sample_size(30);
    targets = call, values, path
}
criterion_main!(micro);
