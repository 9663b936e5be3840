//! `build`: the component, with what it cost and what took part.

use std::io::IsTerminal as _;
use std::time::Duration;

use bailiwick_authoring::build::{self, BuildError, Built, Docs, Options, Watcher};
use bailiwick_authoring::toolchain::Toolchains;
use bailiwick_domain::clock::Clock as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::author::Build;
use crate::clock::SystemClock;
use crate::output::{self, Done, Exit, Failure, Output};

/// How often the time that has passed is drawn anew.
const TICK: Duration = Duration::from_millis(100);

pub(super) fn run(wanted: &Build, out: Output) -> Done {
    let start = SystemClock.instant();
    let options = Options { check_reproducible: wanted.check_reproducible, ..options()? };
    let mut terminal = Terminal::new(out);
    let built = build::build(&wanted.folder, &options, &mut terminal);
    terminal.end();
    let built = built.map_err(|error| terminal.failed(&error))?;
    let took = SystemClock.instant().duration_since(start);
    if out.json {
        out.value(&value(&built, took));
    } else {
        say(&built, took, out);
    }
    Ok(())
}

/// How packages are built here.
pub(super) fn options() -> Result<Options, Failure> {
    let bailiwick = std::env::current_exe().map_err(|error| Failure::new(Exit::Host, error))?;
    Ok(Options { toolchains: Toolchains::from_env(), bailiwick, check_reproducible: false })
}

fn value(built: &Built, took: Duration) -> Value {
    let tools = built.tools.iter().map(|tool| json!({ "name": tool.name, "path": tool.path, "version": tool.version }));
    let (docs, wit) = match &built.docs {
        Docs::Present => ("present", None),
        Docs::Added(folder) => ("added", Some(folder)),
        Docs::None => ("none", None),
    };
    json!({
        "skill": built.id,
        "language": built.language.name(),
        "component": built.component,
        "size": built.size,
        "digest": built.digest.to_string(),
        "docs": docs,
        "wit": wit,
        "tools": tools.collect::<Vec<_>>(),
        "reproduced": built.reproduced,
        "seconds": took.as_secs_f64(),
    })
}

fn say(built: &Built, took: Duration, out: Output) {
    let component = built.component.display();
    out.line(format!("built {} in {:.1} s", out.bold(&built.id), took.as_secs_f64()));
    out.line(format!("  {component}  {}", size(built.size)));
    out.line(format!("  {}", built.digest));
    if built.reproduced {
        out.line("  another build in another folder gave the same bytes");
    }
    for tool in &built.tools {
        out.line(format!("  with {} ({})", named(&tool.name, &tool.version), tool.path.display()));
    }
    if built.docs == Docs::None {
        out.line("  without documentation: there is no WIT to take the words for its tools from");
    }
}

/// A size as people say it.
#[expect(clippy::cast_precision_loss, reason = "a size of this many digits is rounded anyway")]
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes < MIB { format!("{} KiB", bytes.div_ceil(1024)) } else { format!("{:.1} MiB", bytes as f64 / MIB as f64) }
}

/// `cargo 1.95.0 (…)` has its name in its version already.
fn named(name: &str, version: &str) -> String {
    if version.to_ascii_lowercase().contains(name) { version.to_owned() } else { format!("{name} {version}") }
}

/// What a build says, where a person or a log reads it.
pub(super) struct Terminal {
    bar: ProgressBar,
    out: Output,
    /// What was kept back, because answers are JSON.
    kept: Vec<String>,
}

impl Terminal {
    pub(super) fn new(out: Output) -> Self {
        let bar = if out.json || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
            let bar = ProgressBar::new_spinner();
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(TICK);
            bar
        };
        Self { bar, out, kept: Vec::new() }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Why it failed, behind all that programs said of it.
    pub(super) fn failed(&mut self, error: &BuildError) -> Failure {
        for line in self.kept.drain(..) {
            output::note(line);
        }
        let exit = match error {
            BuildError::Package(_)
            | BuildError::Prompt { .. }
            | BuildError::NoLanguage { .. }
            | BuildError::NoSource { .. }
            | BuildError::Missing { .. }
            | BuildError::MissingAsSaid { .. } => Exit::Usage,
            _ => Exit::Host,
        };
        Failure::new(exit, error)
    }
}

impl Watcher for Terminal {
    fn stage(&mut self, what: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(what.to_owned());
        } else if !self.out.json {
            output::note(format!("{what} …"));
        }
    }

    fn line(&mut self, line: &str) {
        // Names of files and words of compilers come from elsewhere too.
        let line = output::tame(line);
        if self.out.json {
            self.kept.push(line.into_owned());
        } else {
            self.bar.suspend(|| output::note(line));
        }
    }
}
