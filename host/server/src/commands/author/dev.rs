//! `bailiwick dev`: a server of one package that follows its files.

mod receipts;
mod stage;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use bailiwick_api::auth::{NewKey, Scope};
use bailiwick_authoring::watch::Changes;
use bailiwick_domain::clock::Clock as _;
use bailiwick_skills::catalog::Broken;
use bailiwick_skills::execute::Executor;
use bailiwick_skills::skill::Skill;
use serde_json::json;

use self::stage::Stage;
use super::{lab, terms};
use crate::app::{self, App};
use crate::cli::author::Dev;
use crate::clock::SystemClock;
use crate::commands::serve::serve_app;
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output, note, tame};

/// The folder in a package where its skill may read and write during a session.
const FOLDERS: &str = ".build/dev";

/// Before the files are looked at again after that failed.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) fn run(dev: &Dev, config: &Config, out: Output) -> Done {
    let root = lab::package(&dev.folder)?;
    let settings = terms::settings(&dev.setting)?;
    let folder = lab::scratch()?;
    let stage = Stage::new(&root, folder.path())?;
    let config = lab::config(config, &folder.path().join("data"), stage.skills());
    let config = Config { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, dev.port)), ..config };
    receipts::follow_logs(out);
    let runtime = app::runtime(config.worker_threads)?;
    let app = App::open(&config, out)?;
    let token = key(&config)?;
    let session = Session { root, settings, stage, out };
    runtime.block_on(serve_app(app, &config, |executor, bound| session.begin(executor, bound, token)))
}

/// The key of this session.
fn key(config: &Config) -> Result<String, Failure> {
    let new =
        NewKey { name: "dev".to_owned(), scopes: [Scope::SkillsRead, Scope::SkillsExecute].into(), expires_at: None };
    let created = app::keys(config)?.create(new, SystemClock.now());
    created.map(|created| created.token).map_err(|error| Failure::new(Exit::Host, error))
}

/// What a session works with.
struct Session {
    root: PathBuf,
    settings: BTreeMap<String, String>,
    stage: Stage,
    out: Output,
}

impl Session {
    /// Builds and serves the package as it is, and follows it from then on: on a thread of
    /// its own, for all of it blocks.
    fn begin(mut self, executor: &Arc<Executor>, bound: SocketAddr, token: String) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::new(Exit::Host, format!("the package can't be watched: {error}"));
        // Before the first build: what is saved while it runs is not missed.
        let changes = Changes::of(&self.root, self.stage.watched_component()).map_err(failed)?;
        let executor = Arc::downgrade(executor);
        receipts::follow(Weak::clone(&executor), self.out).map_err(failed)?;
        let work = move || {
            let Some(first) = executor.upgrade() else { return };
            let skill = self.publish(&first);
            drop(first);
            self.announce(bound, &token, skill.as_deref());
            self.follow(changes, &executor);
        };
        thread::Builder::new().name("dev-watch".to_owned()).spawn(work).map(drop).map_err(failed)
    }

    /// Publishes each change until the host is gone.
    fn follow(mut self, mut changes: Changes, executor: &Weak<Executor>) {
        loop {
            let told = changes.wait();
            let Some(executor) = executor.upgrade() else { return };
            match told {
                Ok(files) => {
                    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
                    note(format!("changed: {}", tame(&files.join(", "))));
                    self.publish(&executor);
                }
                Err(error) => {
                    note(format!("the package can't be read: {error}"));
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Builds the package and serves it in place of the version before. What can't be
    /// built or read is told, and the version before goes on.
    fn publish(&mut self, executor: &Arc<Executor>) -> Option<Arc<Skill>> {
        match self.try_publish(executor) {
            Ok(skill) => Some(skill),
            Err(failure) => {
                let kept = if self.stage.serves() { "; the version before is still served" } else { "" };
                self.problem(&failure.message, kept);
                None
            }
        }
    }

    fn try_publish(&mut self, executor: &Arc<Executor>) -> Result<Arc<Skill>, Failure> {
        let start = SystemClock.instant();
        Stage::build(&self.root, self.out)?;
        let version = self.stage.copy(&self.root)?;
        let registry = executor.registry();
        // The author knows the package, and nothing of its copy.
        let (copy, root) = (version.display().to_string(), self.root.display().to_string());
        let broken = |broken: Broken| Failure::new(Exit::Usage, broken.error.to_string().replace(&copy, &root));
        let skill = registry.inspect(&version).map_err(broken)?;
        let terms = terms::asked(&skill, &self.root.join(FOLDERS), &self.settings, "bailiwick dev")?;
        // Before the version is there, so that no call meets it without its grant.
        if skill.inspection.is_some() {
            let given = executor.grants().add(&skill, terms.grant);
            given.map_err(|error| Failure::new(Exit::Usage, error))?;
        }
        self.stage.serve(&version)?;
        registry.reload();
        let took = SystemClock.instant().saturating_duration_since(start);
        self.published(&skill, &terms.given, &terms.withheld, took);
        Ok(skill)
    }

    fn announce(&self, bound: SocketAddr, token: &str, skill: Option<&Skill>) {
        let (out, url) = (self.out, format!("http://{bound}"));
        if out.json {
            out.line(json!({ "listening": url, "token": token, "skill": skill.map(|it| it.manifest.id.as_str()) }));
            return;
        }
        out.line(format!("listening on {url} for this session, with the key {token}"));
        let tool = skill.and_then(|skill| Some((skill, skill.tools.first()?)));
        if let Some((skill, tool)) = tool {
            let body = json!({ "tool": tool.name, "arguments": {} });
            out.line("To call it:");
            out.line(format!(
                "  curl {url}/v1/skills/{}/execute -H 'Authorization: Bearer {token}' -H 'Content-Type: \
                 application/json' -d '{body}'",
                skill.manifest.id
            ));
        }
        out.line("Save a file to build and serve it anew; Ctrl-C ends the session.");
    }

    fn published(&self, skill: &Skill, given: &[String], withheld: &[String], took: Duration) {
        let (out, manifest) = (self.out, &skill.manifest);
        let tools: Vec<_> = skill.tools.iter().map(|tool| tool.name.as_str()).collect();
        if out.json {
            out.line(json!({
                "serving": manifest.id.as_str(),
                "version": manifest.version.to_string(),
                "digest": skill.digest.to_string(),
                "tools": tools,
                "granted": given,
                "withheld": withheld,
            }));
            return;
        }
        let title = format!("{} {}", manifest.id, manifest.version);
        out.line(format!("{} {}  in {:.1} s", out.green("serving"), out.bold(&title), took.as_secs_f64()));
        let tools = if tools.is_empty() { "no tools".to_owned() } else { tools.join(", ") };
        out.line(format!("  {tools}"));
        for line in given {
            out.line(format!("  granted here: {}", tame(line)));
        }
        for line in withheld {
            out.line(format!("  not granted: {}", tame(line)));
        }
    }

    fn problem(&self, message: &str, kept: &str) {
        let out = self.out;
        if out.json {
            out.line(json!({ "problem": message, "served_before": self.stage.serves() }));
            return;
        }
        out.line(format!("{}{kept}", out.red("not served")));
        tame(message).lines().for_each(|line| out.line(format!("  {line}")));
    }
}

/// A path as it is shown of a package.
fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}
