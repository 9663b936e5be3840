//! Builds and runs the attacks on the patched host.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::Cases;
use super::checks::Check;
use super::patch::VARIABLE;

/// Where the tests keep compiled code.
const CACHE: &str = "target/test-cache";

/// Where the cache is while a host without a knob of its engine would fill it.
const ASIDE: &str = "target/test-cache-aside";

/// Before each name in what the runner says.
const BINARY: &str = "bailiwick-tests::e2e ";

/// The tests that are cases of attacks.
pub(super) const CASES: &str = "attacks::";

/// The patched host with its tests, built once. The runner is told what was built,
/// so that no run asks cargo again.
pub(super) struct Attacks {
    tree: PathBuf,
    tests: Cases,
    /// Tests that pass with every check on, so far.
    sound: RefCell<BTreeSet<String>>,
}

impl Check {
    /// Whether compiled code that it lets through must not be seen by others.
    pub(super) fn forgets(&self) -> bool {
        self.patches.iter().any(|patch| patch.file.ends_with("/engine.rs"))
    }
}

impl Attacks {
    /// Builds them.
    pub(super) fn build(tree: &Path) -> Result<Self, String> {
        let attacks = Self { tree: tree.to_owned(), tests: Cases::new(), sound: RefCell::default() };
        let built = ["--workspace", "--bin", "bailiwick", "--test", "e2e"];
        let done = attacks.cargo("build").args(["--quiet"]).args(built).status();
        match done {
            Ok(status) if status.success() => {}
            Ok(_) => return Err("the patched host does not build; what cargo said stands above".to_owned()),
            Err(error) => return Err(format!("cargo can't be started: {error}")),
        }
        attacks.keep("binaries.json", |cargo| {
            cargo.args(["list", "--list-type", "binaries-only", "--message-format", "json"]).args(built)
        })?;
        let metadata = output(attacks.cargo("metadata").args(["--format-version", "1"]))?;
        attacks.write("metadata.json", &metadata.stdout)?;
        let listed = output(attacks.nextest("list").args(["--message-format", "oneline"]))?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let tests = listed.lines().filter_map(|line| line.strip_prefix(BINARY)).map(str::to_owned).collect();
        Ok(Self { tests, ..attacks })
    }

    /// The attacks.
    pub(super) fn cases(&self) -> Vec<&str> {
        self.tests.iter().filter_map(|name| name.strip_prefix(CASES)).collect()
    }

    /// The tests of a check that fail with every check on; each is run once for all checks.
    pub(super) fn sound(&self, check: &Check) -> Result<Cases, String> {
        let fresh = |name: &&String| !self.sound.borrow().contains(*name);
        let names: Vec<String> = self.selected(check.of).into_iter().filter(fresh).cloned().collect();
        if names.is_empty() {
            return Ok(Cases::new());
        }
        let exactly: Vec<String> = names.iter().map(|name| format!("test(={name})")).collect();
        let failed = self.nextest_run(&exactly.join(" | "), names.len(), &BTreeSet::new())?;
        self.sound.borrow_mut().extend(names);
        Ok(failed)
    }

    /// How many tests ran without the checks `off`, and which of them failed.
    pub(super) fn run(&self, of: &[&str], off: &BTreeSet<&str>, forget: bool) -> Result<(usize, Cases), String> {
        let selected = self.selected(of).len();
        let (cache, aside) = (self.tree.join(CACHE), self.tree.join(ASIDE));
        let failed = |error: std::io::Error| format!("{}: {error}", cache.display());
        if forget && cache.exists() {
            fs::rename(&cache, &aside).map_err(failed)?;
        }
        let names: Vec<String> = of.iter().map(|prefix| format!("test(/^{prefix}/)")).collect();
        let result = self.nextest_run(&names.join(" | "), selected, off);
        if forget {
            if cache.exists() {
                fs::remove_dir_all(&cache).map_err(failed)?;
            }
            if aside.exists() {
                fs::rename(&aside, &cache).map_err(failed)?;
            }
        }
        Ok((selected, result?))
    }

    fn selected(&self, of: &[&str]) -> Vec<&String> {
        self.tests.iter().filter(|name| of.iter().any(|prefix| name.starts_with(prefix))).collect()
    }

    fn nextest_run(&self, filter: &str, expected: usize, off: &BTreeSet<&str>) -> Result<Cases, String> {
        let mut command = self.nextest("run");
        command.args(["--profile", "mutants", "--no-fail-fast", "-E", &format!("binary(e2e) & ({filter})")]);
        command.args(["--status-level", "fail", "--final-status-level", "none", "--failure-output", "never"]);
        command.env(VARIABLE, off.iter().copied().collect::<Vec<_>>().join(","));
        let output = command.output().map_err(|error| format!("cargo can't be started: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        let failed: Cases = text.lines().filter_map(failed).collect();
        let passed = passed(&text).ok_or_else(|| format!("the attacks did not run: {text}"))?;
        if passed + failed.len() == expected {
            return Ok(failed);
        }
        Err(format!("{expected} tests are listed, {passed} passed and {} failed: {text}", failed.len()))
    }

    /// Keeps what the runner lists.
    fn keep(&self, file: &str, ask: impl FnOnce(&mut Command) -> &mut Command) -> Result<(), String> {
        let listed = output(ask(&mut self.cargo("nextest")))?;
        self.write(file, &listed.stdout)
    }

    fn write(&self, file: &str, content: &[u8]) -> Result<(), String> {
        let path = self.kept(file);
        fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn kept(&self, file: &str) -> PathBuf {
        self.tree.join("target").join(file)
    }

    /// The runner, told what was built.
    fn nextest(&self, verb: &str) -> Command {
        let mut command = self.cargo("nextest");
        command.arg(verb).arg("--binaries-metadata").arg(self.kept("binaries.json"));
        command.arg("--cargo-metadata").arg(self.kept("metadata.json"));
        command
    }

    fn cargo(&self, verb: &str) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.tree).env("CARGO_TARGET_DIR", self.tree.join("target")).arg(verb);
        command
    }
}

fn output(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("cargo can't be started: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The test that a line of the runner tells the end of, where it is a failure.
pub(super) fn failed(line: &str) -> Option<String> {
    let (status, name) = line.split_once(BINARY)?;
    // These are told while a test goes on.
    let goes_on = ["SLOW", "TERMINATING"].iter().any(|word| status.trim_start().starts_with(word));
    (!goes_on).then(|| name.trim().to_owned())
}

/// How many tests passed, by the summary.
pub(super) fn passed(text: &str) -> Option<usize> {
    let summary = text.lines().find(|line| line.trim_start().starts_with("Summary"))?;
    let (before, _) = summary.split_once(" passed")?;
    before.rsplit_once(' ')?.1.parse().ok()
}
