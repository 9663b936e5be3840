use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bailiwick_domain::component::{ComponentError, Inspection};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::permit::Permit;
use bailiwick_domain::run::{Disclosure, FailurePolicy, PinnedSkill};
use bailiwick_domain::sandbox::{BoxFuture, InvokeError, Outcome, Sandbox, ScratchFolder};
use bailiwick_domain::services::Services;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::usage::Usage;
use bailiwick_domain::wit::{Answer, Field, ToolSignature, WitType};
use bailiwick_skills::catalog::{Catalog, ResolveError};
use bailiwick_skills::registry::{Registry, RegistryOptions};
use serde_json::{Value, json};

use super::{Site, definition};
use crate::definition::AgentDefinition;
use crate::registry::{Agents, PinError, pinned, team};

/// A sandbox whose components all have the tools `add` and `take-away`, and that calls none.
struct Reader;

impl Sandbox for Reader {
    fn load(&self, path: &Path) -> Result<Arc<Inspection>, ComponentError> {
        let bytes = fs::read(path).map_err(|error| ComponentError::Unreadable(error.to_string()))?;
        let size = bytes.len() as u64;
        let tools = ["add", "take-away"].map(tool).to_vec();
        Ok(Arc::new(Inspection { digest: Digest::of(&bytes), size, imports: vec![], tools, provided: vec![] }))
    }

    fn is_quick(&self, _: &Path) -> bool {
        true
    }

    fn retain(&self, _: &dyn Fn(&Digest) -> bool) {}

    fn scratch(&self) -> io::Result<Box<dyn ScratchFolder>> {
        Err(io::Error::other("there is none"))
    }

    fn invoke<'a>(&'a self, _: Permit, _: usize, _: &'a Value, _: Arc<dyn Services>) -> BoxFuture<'a, Outcome> {
        Box::pin(async { Outcome::failed(InvokeError::NoPermit, Usage::default()) })
    }
}

fn tool(name: &str) -> ToolSignature {
    ToolSignature {
        name: name.to_owned(),
        interface: Some("demo:calc/calc@1.0.0".to_owned()),
        function: name.to_owned(),
        docs: Some(format!("Does {name}.")),
        params: vec![Field { name: "text".to_owned(), ty: WitType::String, docs: None }],
        answer: Answer::Value(None),
    }
}

fn pin(catalog: &Catalog) -> impl Fn(&SkillSelector) -> Result<PinnedSkill, ResolveError> {
    move |selector| catalog.resolve(selector).map(|skill| pinned(&skill))
}

/// The catalog of `demo/calc` 1.2.0 and 2.0.0, and the prompt `local/style`.
fn catalog(site: &Site) -> Arc<Catalog> {
    let skills = site.folder.path().join("skills");
    for version in ["1.2.0", "2.0.0"] {
        let folder = skills.join(version);
        fs::create_dir_all(&folder).expect("a package folder");
        let rest = "skill_id = \"demo/calc\"\nkind = \"tool\"\ncomponent = \"skill.wasm\"\nidempotent = true\n";
        let manifest = format!("version = \"{version}\"\n{rest}");
        fs::write(folder.join("skill.toml"), manifest).expect("a manifest");
        fs::write(folder.join("skill.wasm"), version).expect("a component");
    }
    let style = skills.join("style");
    fs::create_dir_all(&style).expect("a package folder");
    let prompt = "---\nname: style\ndescription: How to write.\n---\nWrite plainly.\n";
    fs::write(style.join("SKILL.md"), prompt).expect("a prompt");
    let options = RegistryOptions { directories: vec![skills], strict: true, ..RegistryOptions::default() };
    let catalog = Registry::open(options, Arc::new(Reader), |_| ()).catalog();
    assert!(catalog.broken().is_empty(), "{:?}", catalog.broken());
    catalog
}

/// Puts an agent that has these skills.
async fn put(agents: &Arc<Agents>, name: &str, skills: &[&str]) {
    let mut value = definition(name, "Works.").to_json();
    value["skills"] = json!(skills);
    value["disclosure"] = json!("all");
    value["temperature"] = json!(0.25);
    let definition = AgentDefinition::from_json(&value).expect("it is valid");
    agents.put(definition, "ada").await.expect("it is kept");
}

#[tokio::test]
async fn a_team_has_the_newest_releases_that_its_agents_accept() {
    let site = Site::new();
    let (agents, catalog) = (site.start(), catalog(&site));
    put(&agents, "old", &["demo/calc@^1", "local/style"]).await;
    put(&agents, "new", &["demo/calc"]).await;
    let team = team(&agents, &["old", "new", "old"], &pin(&catalog)).expect("all is there");
    assert_eq!(team.members.keys().collect::<Vec<_>>(), ["new", "old"]);
    let old = &team.members["old"];
    assert_eq!((old.disclosure, old.max_steps, old.temperature_milli), (Disclosure::All, 32, Some(250)));
    assert_eq!((old.description.as_str(), old.instructions.as_str()), ("Works.", "Do."));
    let [calc, style] = old.skills.as_slice() else { panic!("{:?}", old.skills) };
    assert_eq!(
        (calc.id.as_str(), calc.version.to_string(), calc.digest),
        ("demo/calc", "1.2.0".to_owned(), Digest::of(b"1.2.0"))
    );
    assert_eq!(calc.description, "Its tools: add, take-away");
    let aliases: Vec<_> = calc.tools.iter().map(|tool| (tool.name.as_str(), tool.alias.as_str())).collect();
    assert_eq!(aliases, [("add", "calc__add"), ("take-away", "calc__take-away")]);
    assert!(calc.tools.iter().all(|tool| tool.idempotent));
    assert_eq!(calc.tools[0].description, "Does add.");
    assert_eq!(calc.tools[0].input_schema["properties"]["text"]["type"], "string");
    assert_eq!((style.id.as_str(), style.description.as_str()), ("local/style", "How to write."));
    assert_eq!(style.instructions.trim(), "Write plainly.");
    assert!(style.tools.is_empty());
    assert_eq!(team.members["new"].skills[0].version.to_string(), "2.0.0");
}

#[tokio::test]
async fn whoever_can_not_be_had_is_named_with_the_reason() {
    let site = Site::new();
    site.write("broken.toml", "name = \"broken\"\n");
    let (agents, catalog) = (site.start(), catalog(&site));
    put(&agents, "typo", &["demo/clac"]).await;
    put(&agents, "future", &["demo/calc@^3"]).await;
    let error = |names: &[&str]| team(&agents, names, &pin(&catalog)).expect_err("it can't be had");
    assert_eq!(error(&["futur"]).to_string(), "there is no agent `futur`; did you mean `future`?");
    assert_eq!(
        error(&["typo"]).to_string(),
        "the agent `typo` can't have its skill `demo/clac`: there is no skill `demo/clac`; did you mean `demo/calc`?"
    );
    assert_eq!(
        error(&["future"]).to_string(),
        "the agent `future` can't have its skill `demo/calc@^3`: `demo/calc@^3` means no version of the skill; \
         there is `2.0.0`, `1.2.0`"
    );
    let broken = error(&["future", "broken"]);
    assert!(matches!(&broken, PinError::Skill { agent, .. } if agent == "future"), "the first is told: {broken}");
    let broken = error(&["broken"]).to_string();
    let file = site.path("broken.toml");
    let expected = format!("the agent `broken` can't be used: {}: description: found nothing", file.display());
    assert!(broken.starts_with(&expected), "{broken}");
}

#[tokio::test]
async fn a_paused_agent_is_refused_with_who_paused_it_and_how_it_goes_on() {
    let site = Site::new();
    let (agents, catalog) = (site.start(), catalog(&site));
    put(&agents, "scout", &[]).await;
    agents.pause("scout", "key:ops").await.expect("it is there");
    let error = team(&agents, &["scout"], &pin(&catalog)).expect_err("it is paused");
    assert_eq!(
        error.to_string(),
        "the agent `scout` is paused, by `key:ops` since 2027-01-15T08:00:00.000000Z, and gets no new runs: \
         `bailiwick agents resume scout` or `POST /v1/agents/scout/resume` lets it go on"
    );
    agents.resume("scout", "key:ops").await.expect("it is there");
    let team = team(&agents, &["scout"], &pin(&catalog)).expect("all is there");
    assert!(team.members["scout"].can_delegate);
}

/// Puts an agent that gives its work to `fallback` where it fails.
async fn put_with(agents: &Arc<Agents>, name: &str, fallback: Option<&str>) {
    let on_failure = FailurePolicy { retries: 1, fallback: fallback.map(str::to_owned), ask: true };
    let output_schema = Some(json!({ "type": "object" }));
    let definition = AgentDefinition { on_failure, output_schema, ..definition(name, "Works.") };
    agents.put(definition, "ada").await.expect("it is kept");
}

#[tokio::test]
async fn whoever_goes_on_where_an_agent_fails_is_in_the_team_too() {
    let site = Site::new();
    let (agents, catalog) = (site.start(), catalog(&site));
    put_with(&agents, "one", Some("two")).await;
    put_with(&agents, "two", Some("three")).await;
    // A circle ends.
    put_with(&agents, "three", Some("one")).await;
    put_with(&agents, "four", None).await;
    let team = team(&agents, &["one"], &pin(&catalog)).expect("all is there");
    assert_eq!(team.members.keys().collect::<Vec<_>>(), ["one", "three", "two"]);
    let one = &team.members["one"];
    assert_eq!(one.on_failure, FailurePolicy { retries: 1, fallback: Some("two".to_owned()), ask: true });
    assert_eq!(one.output_schema, Some(json!({ "type": "object" })));
}

#[tokio::test]
async fn a_fallback_that_can_not_be_had_is_named_with_its_key() {
    let site = Site::new();
    let (agents, catalog) = (site.start(), catalog(&site));
    put_with(&agents, "first", Some("second")).await;
    put_with(&agents, "second", Some("thrid")).await;
    let error = |names: &[&str]| team(&agents, names, &pin(&catalog)).expect_err("it can't be had").to_string();
    let unknown = "`on_failure.fallback` of the agent `second`: there is no agent `thrid`";
    assert!(error(&["first"]).starts_with(unknown), "{}", error(&["first"]));
    put_with(&agents, "thrid", None).await;
    assert!(team(&agents, &["first"], &pin(&catalog)).is_ok());
    agents.pause("thrid", "key:ops").await.expect("it is there");
    let paused = "`on_failure.fallback` of the agent `second`: the agent `thrid` is paused, by `key:ops`";
    assert!(error(&["first"]).starts_with(paused), "{}", error(&["first"]));
}

#[tokio::test]
async fn an_agent_that_may_not_delegate_is_kept_so() {
    let site = Site::new();
    let (agents, catalog) = (site.start(), catalog(&site));
    let definition = AgentDefinition { can_delegate: false, ..definition("clerk", "Works.") };
    agents.put(definition, "ada").await.expect("it is kept");
    let team = team(&agents, &["clerk"], &pin(&catalog)).expect("all is there");
    assert!(!team.members["clerk"].can_delegate);
}
