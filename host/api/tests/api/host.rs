//! A whole host before a sandbox that is a stand-in, asked without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Request, StatusCode};
use bailiwick_agents::skills::HostSkills;
use bailiwick_agents::{Agents, RandomIds, Runtime, RuntimeOptions, RuntimeParts};
use bailiwick_api::auth::{KeyFile, Keyring, NewKey, Scope};
use bailiwick_api::host_check::AllowedHosts;
use bailiwick_api::options::ApiOptions;
use bailiwick_api::problem::Kind;
use bailiwick_api::state::{Host, ReadyFlag};
use bailiwick_api::{Peer, openapi, router, time};
use bailiwick_distribution::install::Installer;
use bailiwick_distribution::store::Store;
use bailiwick_distribution::trust::Trust;
use bailiwick_domain::clock::Clock;
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::model::{ChatAnswer, ChatRequest, Listener, Model, ModelFailure};
use bailiwick_domain::permit;
use bailiwick_domain::sandbox::{BoxFuture, Sandbox};
use bailiwick_domain::span::NullTracer;
use bailiwick_journal::Journal;
use bailiwick_skills::approvals::Approvals;
use bailiwick_skills::audit::Audit;
use bailiwick_skills::execute::{Executor, ExecutorParts};
use bailiwick_skills::grants::{GrantStore, GuardedPlaces, NewGrant};
use bailiwick_skills::policy::{Policy, PolicyOptions};
use bailiwick_skills::registry::{Registry, RegistryOptions};
use bailiwick_wire::problem::{MEDIA_TYPE, Problem, TYPE_PREFIX};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::sandbox::{FakeSandbox, SECRET};

/// The name that requests use for the host.
pub(crate) const NAME: &str = "localhost:7777";

/// A clock that a test moves by hand.
pub(crate) struct ManualClock {
    start: Instant,
    passed: Mutex<Duration>,
}

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.passed.lock().expect("unpoisoned") += by;
    }

    fn passed(&self) -> Duration {
        *self.passed.lock().expect("unpoisoned")
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        time::parse("2026-11-20T11:00:00Z").expect("valid") + self.passed()
    }

    fn instant(&self) -> Instant {
        self.start + self.passed()
    }
}

pub(crate) struct TestHost {
    pub(crate) folder: TempDir,
    pub(crate) sandbox: Arc<FakeSandbox>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) grants: Arc<GrantStore>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) keys: KeyFile,
    pub(crate) ready: ReadyFlag,
    tokens: BTreeMap<&'static str, String>,
    router: Router,
}

/// A package in short: its folder, what its manifest says beyond the usual, and its tools, one a line.
pub(crate) struct Package<'a> {
    pub(crate) folder: &'a str,
    pub(crate) id: &'a str,
    pub(crate) version: &'a str,
    pub(crate) manifest: &'a str,
    pub(crate) tools: &'a str,
}

impl TestHost {
    /// A host with the usual skills.
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// The same with other options.
    pub(crate) fn with(change: impl FnOnce(&mut ApiOptions)) -> Self {
        let folder = TempDir::new().expect("folder");
        let skills = folder.path().join("skills");
        usual_skills(&skills);
        let sandbox = Arc::new(FakeSandbox::default());
        let clock = Arc::new(ManualClock { start: Instant::now(), passed: Mutex::default() });
        let options = RegistryOptions { directories: vec![skills], strict: true, allow_shell: false, put_off: false };
        let registry = Arc::new(Registry::open(options, Arc::clone(&sandbox) as Arc<dyn Sandbox>, |_| ()));
        // The data folder is apart, because no grant may reach it.
        let data = folder.path().join("data");
        let journal = Journal::open(&data.join("journal.redb")).expect("journal");
        let time = || Arc::clone(&clock) as Arc<dyn Clock>;
        let grants =
            Arc::new(GrantStore::open(Arc::clone(&journal), &data, GuardedPlaces::default(), time()).expect("grants"));
        let approvals = Approvals::open(Arc::clone(&journal), Duration::from_mins(10), time()).expect("approvals");
        let audit = Audit::open(Arc::clone(&journal), &data.join("audit.key"), time()).expect("audit");
        let (issuer, _) = permit::authority();
        let require_approval_tags = BTreeSet::from(["destructive".to_owned()]);
        let executor = Executor::new(ExecutorParts {
            registry: Arc::clone(&registry),
            grants: Arc::clone(&grants),
            policy: Policy::new(issuer, PolicyOptions { require_approval_tags, ..PolicyOptions::default() }),
            sandbox: Arc::clone(&sandbox) as Arc<dyn Sandbox>,
            approvals: Arc::new(approvals),
            audit: Arc::new(audit),
            journal: Arc::clone(&journal),
            models: None,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            max_concurrent_calls: 2,
            max_call_depth: 2,
        });
        let (keys, tokens) = keys(folder.path(), clock.now());
        let keyring = Keyring::open(keys.clone(), Arc::clone(&clock) as Arc<dyn Clock>).expect("keys");
        let bound = "127.0.0.1:7777".parse().expect("address");
        let mut options = ApiOptions::new(AllowedHosts::new(bound, &[], &[]).expect("valid"));
        change(&mut options);
        let ready = ReadyFlag::default();
        ready.set(true);
        let installed = Store::new(data.join("packages"), data.join("bailiwick.lock"), Trust::default());
        let packages = Installer::new(Arc::new(installed), Arc::clone(&registry), Arc::clone(executor.audit()));
        let runs = runs(&executor, &journal, time());
        let host = Host {
            packages,
            registry: Arc::clone(&registry),
            executor,
            runs,
            keyring,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ready: ready.clone(),
        };
        let router = router(host, options);
        let host = Self { folder, sandbox, clock, registry, grants, journal, keys, ready, tokens, router };
        host.grant("acme/echo@0.1.0", None);
        host.grant("acme/echo@0.2.0", None);
        host.grant("acme/danger", None);
        host
    }

    /// The routes, for a server.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Grants nothing but to be run.
    pub(crate) fn grant(&self, skill: &str, expires_at: Option<SystemTime>) {
        let skill = self.registry.catalog().resolve(&skill.parse().expect("selector")).expect("skill");
        let capabilities = Capabilities::default();
        let new = NewGrant { giver: "ada".to_owned(), expires_at, capabilities, ..NewGrant::default() };
        self.grants.add(&skill, new).expect("granted");
    }

    /// The token of the key with this name.
    pub(crate) fn token(&self, name: &str) -> &str {
        &self.tokens[name]
    }

    /// Sends a request as it is. Whatever comes back must be what the `OpenAPI` document says.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().as_str().to_lowercase(), request.uri().path().to_owned());
        let (parts, body) = self.router.clone().oneshot(request).await.expect("infallible").into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        assert!(!answer.text().contains(SECRET), "{}", answer.text());
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers.contains_key("traceparent"));
        answer.is_described(&method, &path);
        answer
    }

    /// Asks with a key that may do everything but administer.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path, "both").body(Body::empty()).expect("request")).await
    }

    /// Runs a tool of `skill`, which is `namespace/name`.
    pub(crate) async fn execute(&self, skill: &str, body: &str) -> Answer {
        self.send(self.execute_request(skill, body)).await
    }

    /// The same before it is sent.
    pub(crate) fn execute_request(&self, skill: &str, body: &str) -> Request<Body> {
        let request = self.request("POST", &format!("/v1/skills/{skill}/execute"), "both");
        request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_owned())).expect("request")
    }

    /// A request with this key.
    pub(crate) fn request(&self, method: &str, path: &str, key: &str) -> axum::http::request::Builder {
        request(method, path).header(AUTHORIZATION, format!("Bearer {}", self.token(key)))
    }
}

/// A request without a key, from a machine elsewhere.
pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    let peer = Peer("192.0.2.7:50000".parse().expect("address"));
    Request::builder().method(method).uri(path).header(HOST, NAME).extension(peer)
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Holds the answer against what the document says of the route, where there is one.
    fn is_described(&self, method: &str, path: &str) {
        static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi_json);
        let paths = DOCUMENT["paths"].as_object().expect("paths");
        let Some((_, methods)) = paths.iter().find(|(template, _)| is_at(path, template)) else { return };
        let Some(operation) = methods.get(method) else { return };
        let response = &operation["responses"][self.status.as_str()];
        assert!(response.is_object(), "{method} {path} may not answer {}", self.status);
        let media_type = self.headers[CONTENT_TYPE].to_str().expect("text");
        let schema = &response["content"][media_type]["schema"];
        assert!(schema.is_object(), "{method} {path} may not answer {media_type}");
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
            let document = serde_json::from_slice(&self.body).expect("JSON");
            assert_eq!(faults(name, &document), Vec::<String>::new(), "{method} {path}");
        }
    }

    /// The body of a success.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.headers[CONTENT_TYPE], "application/json");
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The body of a failure, which must be a problem document of this kind in every respect.
    pub(crate) fn problem(&self, kind: Kind) -> Problem {
        let text = self.text();
        let document: Value = serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(self.headers[CONTENT_TYPE], MEDIA_TYPE);
        let faults = faults("Problem", &document);
        assert!(faults.is_empty(), "{faults:?}: {text}");
        let problem: Problem = serde_json::from_value(document).expect("a problem");
        assert_eq!(problem.code, kind.code, "{text}");
        assert_eq!((problem.status, self.status.as_u16()), (kind.status, kind.status), "{text}");
        assert_eq!((problem.title.as_str(), problem.kind.strip_prefix(TYPE_PREFIX)), (kind.title, Some(kind.code)));
        let seconds = problem.retry_after_ms.map(|wait| wait.div_ceil(1000).to_string());
        assert_eq!(self.headers.get("retry-after").and_then(|value| value.to_str().ok()), seconds.as_deref());
        assert_eq!(self.headers.contains_key("www-authenticate"), kind.status == 401);
        problem
    }
}

/// Whether `path` is one that `template` means.
fn is_at(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    let same = |(part, expected): (&&str, &&str)| part == expected || (expected.starts_with('{') && !part.is_empty());
    path.len() == template.len() && path.iter().zip(&template).all(same)
}

/// What is wrong with `document` by the schema of this name in the `OpenAPI` document.
pub(crate) fn faults(schema: &str, document: &Value) -> Vec<String> {
    let components = &openapi_json()["components"];
    let schema = serde_json::json!({ "$ref": format!("#/components/schemas/{schema}"), "components": components });
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The `OpenAPI` document as clients get it.
pub(crate) fn openapi_json() -> Value {
    serde_json::to_value(openapi()).expect("writable")
}

/// No model answers here, and `stuck` never even fails: what runs do is tested elsewhere.
struct NoModel;

impl Model for NoModel {
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        _: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        let model = request.models.first().cloned().unwrap_or_default();
        if model == "stuck" {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Err(ModelFailure::NoModel(model))))
    }
}

/// Runs of agents that are records.
fn runs(executor: &Arc<Executor>, journal: &Arc<Journal>, clock: Arc<dyn Clock>) -> Arc<Runtime> {
    let parts = RuntimeParts {
        agents: Agents::open(Vec::new(), Arc::clone(journal), Arc::clone(&clock)).expect("agents"),
        models: Arc::new(NoModel),
        skills: Arc::new(HostSkills::new(Arc::clone(executor))),
        journal: Arc::clone(journal),
        clock,
        ids: Arc::new(RandomIds),
        tracer: Arc::new(NullTracer),
    };
    Runtime::new(parts, RuntimeOptions::default())
}

fn keys(folder: &Path, now: SystemTime) -> (KeyFile, BTreeMap<&'static str, String>) {
    let file = KeyFile::new(folder.join("keys.toml"));
    let keys: [(&str, &[Scope]); 8] = [
        ("reader", &[Scope::SkillsRead]),
        ("executor", &[Scope::SkillsExecute]),
        ("both", &[Scope::SkillsRead, Scope::SkillsExecute]),
        ("approver", &[Scope::ApprovalsAnswer]),
        ("watcher", &[Scope::RunsRead]),
        ("submitter", &[Scope::RunsSubmit]),
        ("auditor", &[Scope::AuditRead]),
        ("admin", &[Scope::Admin]),
    ];
    let create = |(name, scopes): (&'static str, &[Scope])| {
        let scopes = scopes.iter().copied().collect();
        let key = NewKey { name: name.to_owned(), scopes, expires_at: None };
        (name, file.create(key, now).expect("created").token)
    };
    let tokens = keys.into_iter().map(create).collect();
    (file, tokens)
}

fn usual_skills(folder: &Path) {
    let tool = |folder, id, version, tools| Package { folder, id, version, manifest: "", tools };
    write(folder, &tool("echo-1", "acme/echo", "0.1.0", "say"));
    write(folder, &tool("echo-2", "acme/echo", "0.2.0", "say\nshout"));
    write(
        folder,
        &Package { manifest: "risk_tags = [\"destructive\"]", ..tool("danger", "acme/danger", "1.0.0", "erase") },
    );
    let wants = "[[permissions.fs]]\nroot = \"/work\"\naccess = \"read-write\"\n\
                 [[permissions.http]]\nhost = \"*.example.com\"\nmethods = [\"GET\"]\n\
                 [limits]\nmemory = \"64 MiB\"\ndeadline = \"5 s\"\n";
    write(folder, &Package { manifest: wants, ..tool("wants", "zeta/wants", "1.0.0", "take") });
    write(folder, &tool("broken", "acme/broken", "1.0.0", "broken"));
    let prompt = folder.join("advice");
    fs::create_dir_all(&prompt).expect("folder");
    let text = "---\nname: advice\ndescription: How to give advice. Use it when asked.\nlicense: MIT\n\
                allowed-tools: Read Bash(git add:*)\n---\n# Advice\n\nListen.\n";
    fs::write(prompt.join("SKILL.md"), text).expect("written");
}

/// Writes a package below the folder of skills.
pub(crate) fn write(skills: &Path, package: &Package<'_>) {
    let Package { folder, id, version, manifest, tools } = package;
    let name = id.split_once('/').expect("an id").1;
    let folder = skills.join(folder);
    fs::create_dir_all(&folder).expect("folder");
    let kind = "kind = \"tool\"\ncomponent = \"tool.wasm\"";
    let text = format!("skill_id = \"{id}\"\nversion = \"{version}\"\n{kind}\nidempotent = false\n{manifest}\n");
    fs::write(folder.join("skill.toml"), text).expect("written");
    let text = format!("---\nname: {name}\ndescription: Says {name} of {version}.\n---\n# {name}\n");
    fs::write(folder.join("SKILL.md"), text).expect("written");
    fs::write(folder.join("tool.wasm"), tools).expect("written");
}
