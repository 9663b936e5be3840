//! `bailiwick bench`: what a tool costs on this machine, in the sandbox that a server has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_authoring::bench::{Times, nanos};
use bailiwick_authoring::component::Facts;
use bailiwick_authoring::shown;
use bailiwick_domain::clock::Clock as _;
use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::trace::TraceContext;
use bailiwick_domain::usage::Usage;
use bailiwick_skills::execute::{Execution, Executor};
use bailiwick_skills::package::{self, LoadOptions};
use bailiwick_skills::skill::Skill;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{lab, terms};
use crate::app::{self, App};
use crate::cli::author::Bench;
use crate::clock::SystemClock;
use crate::commands::skills::arguments;
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output, tame};

/// Calls before those that are measured: code and memory are warm then, as on a server.
const WARM_UP: u32 = 10;

/// Units of fuel that the call with an account may use: more than a call needs.
const FUEL: u64 = 1 << 50;

/// What was measured.
struct Measured {
    skill: Arc<Skill>,
    tool: String,
    size: u64,
    compile: Duration,
    load: Duration,
    first: Duration,
    instance: Option<Times>,
    call: Option<Times>,
    whole: Option<Times>,
    memory: u64,
    fuel: Result<u64, String>,
}

pub(super) fn run(bench: &Bench, config: &Config, out: Output) -> Done {
    let folder = lab::scratch()?;
    let package = subject(&bench.subject, folder.path())?;
    let skills = folder.path().join("skills");
    lab::link(std::slice::from_ref(&package), &skills).map_err(|error| Failure::new(Exit::Host, error))?;
    let config = lab::config(config, &folder.path().join("data"), &skills);
    // Nothing may be compiled before.
    let config = Config { cache_dir: folder.path().join("cache"), ..config };
    let measured = measure(bench, &package, folder.path(), &config, out)?;
    if out.json {
        out.value(&value(&measured));
    } else {
        print(&measured, out);
    }
    Ok(())
}

/// The package to measure; one is made around a component by itself.
fn subject(subject: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    if subject.is_dir() {
        return lab::package(subject);
    }
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, format!("{}: {error}", subject.display()));
    let package = folder.join("subject");
    fs::create_dir(&package).map_err(failed)?;
    let component = fs::read(subject).map_err(failed)?;
    // Of what is no component, the host says so when it loads it.
    let workflow = Facts::of(&component).is_ok_and(|facts| facts.exports_interface("bailiwick:skill/workflow"));
    let kind = if workflow { "workflow" } else { "tool" };
    fs::write(package.join("subject.wasm"), component).map_err(failed)?;
    let manifest =
        format!("skill_id = \"bench/subject\"\nversion = \"0.0.0\"\nkind = \"{kind}\"\ncomponent = \"subject.wasm\"\n");
    fs::write(package.join("skill.toml"), manifest).map_err(failed)?;
    Ok(package)
}

fn measure(bench: &Bench, package: &Path, folder: &Path, config: &Config, out: Output) -> Result<Measured, Failure> {
    let host = |error: &dyn std::fmt::Display| Failure::new(Exit::Host, error);
    let arguments = arguments(&bench.args, &bench.arg)?;
    let (compile, load) = loading(package, config)?;
    let runtime = app::runtime(config.worker_threads)?;
    let executor = App::open(config, out).map_err(Failure::from)?.into_executor(config);
    let skill = skill(&executor)?;
    let terms = terms::asked(&skill, &folder.join("folders"), &BTreeMap::new(), "bailiwick bench")?;
    executor.grants().add(&skill, terms.grant.clone()).map_err(|error| host(&error))?;
    let calls = Calls { runtime: &runtime, executor: &executor, skill: &skill, tool: bench.tool.as_deref(), arguments };
    let (execution, first) = calls.one()?;
    let mut memory = execution.receipt.usage.memory_bytes;
    for _ in 0..WARM_UP {
        calls.one()?;
    }
    let (mut instances, mut inside, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.calls {
        let (execution, took) = calls.one()?;
        let Usage { wall, instance, memory_bytes, .. } = execution.receipt.usage;
        memory = memory.max(memory_bytes);
        instances.push(instance);
        inside.push(wall);
        whole.push(took);
    }
    let mut counted = terms.grant;
    counted.limits.fuel = Some(config.limits.ceiling.fuel.unwrap_or(FUEL).min(FUEL));
    executor.grants().add(&skill, counted).map_err(|error| host(&error))?;
    let fuel = calls.one().map_err(|failure| failure.message);
    let fuel = fuel.and_then(|(it, _)| it.receipt.usage.fuel.ok_or_else(|| "the host kept no account".to_owned()));
    Ok(Measured {
        tool: execution.tool,
        size: skill.inspection.as_ref().map_or(0, |it| it.size),
        compile,
        load,
        first,
        instance: Times::of(&instances),
        call: Times::of(&inside),
        whole: Times::of(&whole),
        memory,
        fuel,
        skill,
    })
}

/// How long the component takes to compile, and to load once it was compiled.
fn loading(folder: &Path, config: &Config) -> Result<(Duration, Duration), Failure> {
    let timed = || -> Result<Duration, Failure> {
        let reader = app::reader(config)?;
        let manifest = package::load(folder, &LoadOptions::default());
        let path = manifest.map_err(|error| Failure::new(Exit::Usage, error))?.component_path();
        let path =
            path.ok_or_else(|| Failure::new(Exit::Usage, "a prompt has nothing to run, and so nothing to measure"))?;
        let start = SystemClock.instant();
        reader.load(&path).map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", path.display())))?;
        Ok(SystemClock.instant().saturating_duration_since(start))
    };
    Ok((timed()?, timed()?))
}

fn skill(executor: &Executor) -> Result<Arc<Skill>, Failure> {
    let catalog = executor.registry().catalog();
    if let Some(skill) = catalog.list().next() {
        return Ok(Arc::clone(skill));
    }
    let broken: Vec<_> = catalog.broken().iter().map(|broken| broken.error.to_string()).collect();
    Err(Failure::new(Exit::Usage, format!("{}; `bailiwick check` says more", broken.join("\n"))))
}

/// The call that is made again and again.
struct Calls<'a> {
    runtime: &'a Runtime,
    executor: &'a Executor,
    skill: &'a Skill,
    tool: Option<&'a str>,
    arguments: Value,
}

impl Calls<'_> {
    /// Makes one call; how long it took with policy and the record in the audit log.
    fn one(&self) -> Result<(Execution, Duration), Failure> {
        let id = &self.skill.manifest.id;
        let invocation = Invocation {
            skill: id.to_string().parse::<SkillSelector>().map_err(|error| Failure::new(Exit::Host, error))?,
            tool: self.tool.map(str::to_owned),
            arguments: self.arguments.clone(),
            principal: Principal { name: "cli:bailiwick bench".into() },
            trace: TraceContext { trace_id: [1; 16], span_id: [1; 8], sampled: false },
            trace_state: None,
            deadline: None,
            idempotency_key: None,
            approval_wait: Duration::ZERO,
            caller: None,
            run: None,
        };
        let start = SystemClock.instant();
        let result = self.runtime.block_on(self.executor.execute(invocation));
        let took = SystemClock.instant().saturating_duration_since(start);
        let execution = result.map_err(|error| Failure::new(Exit::Ended, format!("a call ended with: {error}")))?;
        if execution.receipt.outcome == "succeeded" {
            return Ok((execution, took));
        }
        let problem = "the tool answers its own failure with these arguments, which says little of what it costs: give \
                       others with `--args`";
        Err(Failure::new(Exit::ToolFailed, problem))
    }
}

fn value(measured: &Measured) -> Value {
    let (fuel, fuel_problem) = match &measured.fuel {
        Ok(fuel) => (Some(fuel), None),
        Err(problem) => (None, Some(problem)),
    };
    json!({
        "skill": measured.skill.manifest.id.as_str(),
        "digest": measured.skill.digest.to_string(),
        "tool": measured.tool,
        "size_bytes": measured.size,
        "optimised_host": !cfg!(debug_assertions),
        "compile_ns": nanos(measured.compile),
        "load_ns": nanos(measured.load),
        "first_call_ns": nanos(measured.first),
        "instance": measured.instance,
        "call": measured.call,
        "call_with_record": measured.whole,
        "memory_bytes": measured.memory,
        "fuel": fuel,
        "fuel_problem": fuel_problem,
    })
}

fn print(measured: &Measured, out: Output) {
    let skill = &measured.skill.manifest;
    let title = format!("{} {}: {}", skill.id, skill.version, measured.tool);
    out.line(format!("{}  ({})", out.bold(&title), shown::size(measured.size)));
    let row = |what: &str, number: String, meaning: &str| out.line(format!("  {what:12} {number:34} {meaning}"));
    let one = |time: Duration| shown::time(nanos(time));
    let many = |times: &Option<Times>| match times {
        Some(times) => format!("median {}, p95 {}", shown::time(times.median_ns), shown::time(times.p95_ns)),
        None => "not measured".to_owned(),
    };
    row("compile", one(measured.compile), "once for these bytes on a host, with all of its cores");
    row("load", one(measured.load), "read and checked against what was compiled before; at a start");
    row("first call", one(measured.first), "after a start: also maps and links the code");
    row("instance", many(&measured.instance), "until the call's own fresh instance stands");
    row("call", many(&measured.call), "in the sandbox, with that instance");
    row("with record", many(&measured.whole), "with policy, and its record synced to disk");
    row("memory", shown::size(measured.memory), "the most that the guest's memories had at once");
    match &measured.fuel {
        Ok(fuel) => row("fuel", fuel.to_string(), "units of one call; counted in other code, not while timing"),
        Err(problem) => row("fuel", "not counted".to_owned(), &tame(problem)),
    }
    let runs = measured.call.map_or(0, |times| times.runs);
    out.line(format!("{runs} calls, one after the other, on this machine, after {WARM_UP} that were not counted."));
    if cfg!(debug_assertions) {
        out.line("This bailiwick was built without optimisation, so that its own part of these times is longer than it need be.");
    }
}
