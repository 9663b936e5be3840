//! Takes one check of the host out after another, and sees which attacks notice.
//!
//! Every check is patched at once so that it can be switched off by a variable
//! of the environment; the host is then built once, and the attacks run once for
//! each check that is off. The sources are put back at the end, be it a failure;
//! after an interrupt `git checkout host` does it.

mod checks;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use checks::{CHECKS, Check};

/// The table that is written.
const TABLE: &str = "docs/mutations.md";

/// Where the tests keep compiled code.
const CACHE: &str = "target/test-cache";

/// Names the check that is off.
const VARIABLE: &str = "BAILIWICK_MUTANT";

/// Where the switch is put: every crate of the host knows this one.
const SWITCH_FILE: &str = "host/domain/src/lib.rs";

/// The switch, which exists only while this command runs.
const SWITCH: &str = "
/// Whether this check is off.
pub fn mutant(name: &str) -> bool {
    std::env::var(\"BAILIWICK_MUTANT\").is_ok_and(|it| it == name)
}
";

/// The attacks, as the test runner selects them.
const ATTACKS: &str = "binary(e2e) & test(/^attacks::/)";

/// Runs the attacks with each check off that is named, or with every one.
pub(crate) fn run(root: &Path, names: &[&str]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| CHECKS.iter().all(|check| check.name != **name)) {
        return Err(format!("there is no check `{unknown}` in xtask/src/mutate/checks.rs"));
    }
    let selected: Vec<&Check> = CHECKS.iter().filter(|it| names.is_empty() || names.contains(&it.name)).collect();
    let patched = Patched::apply(root)?;
    build(root)?;
    // With every check on, all attacks must fail to get through.
    let failed = attack(root, None)?;
    if !failed.is_empty() {
        return Err(format!("with every check on these fail: {}", join(&failed)));
    }
    let mut results = known(root);
    for (number, check) in selected.iter().enumerate() {
        let failed = attack(root, Some(check.name))?;
        println!("{}/{} {}: {}", number + 1, selected.len(), check.name, join(&failed));
        results.insert(check.name.to_owned(), join(&failed));
        // After each, so that what was found outlives an interrupt.
        write(root, &results)?;
    }
    drop(patched);
    // What a weaker host has compiled is not for the real one.
    match fs::remove_dir_all(root.join(CACHE)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{CACHE}: {error}")),
    }
}

/// Sources as they were, which are put back when this is dropped.
struct Patched(BTreeMap<PathBuf, String>);

impl Patched {
    fn apply(root: &Path) -> Result<Self, String> {
        let mut originals = BTreeMap::new();
        let mut changed: BTreeMap<PathBuf, String> = BTreeMap::new();
        for check in CHECKS {
            let path = root.join(check.file);
            let text = match changed.get(&path) {
                Some(text) => text.clone(),
                None => read(&path)?,
            };
            originals.entry(path.clone()).or_insert_with(|| text.clone());
            if text.matches(check.find).count() != 1 {
                return Err(format!("{}: `{}` must stand in {} once", check.name, check.find, check.file));
            }
            changed.insert(path, text.replacen(check.find, &check.patched(), 1));
        }
        let path = root.join(SWITCH_FILE);
        let text = changed.get(&path).cloned().map_or_else(|| read(&path), Ok)?;
        originals.entry(path.clone()).or_insert_with(|| text.clone());
        changed.insert(path, format!("{text}{SWITCH}"));
        // Made before the first write, so that whatever fails from here on is undone.
        let patched = Self(originals);
        for (path, text) in changed {
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(patched)
    }
}

impl Drop for Patched {
    fn drop(&mut self) {
        for (path, text) in &self.0 {
            if let Err(error) = fs::write(path, text) {
                eprintln!("{} is not put back: {error}", path.display());
            }
        }
    }
}

impl Check {
    /// The replacement, in which `{off}` asks the switch.
    fn patched(&self) -> String {
        let path = if self.file.starts_with("host/domain/") { "crate" } else { "bailiwick_domain" };
        self.replace.replace("{off}", &format!("{path}::mutant(\"{}\")", self.name))
    }
}

fn build(root: &Path) -> Result<(), String> {
    let status = cargo(root).args(["build", "--quiet", "--workspace", "--bins", "--test", "e2e"]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("the patched host does not build; what cargo said stands above".to_owned()),
        Err(error) => Err(format!("cargo can't be started: {error}")),
    }
}

/// The attacks that got through, or otherwise did not end as they must.
fn attack(root: &Path, off: Option<&str>) -> Result<BTreeSet<String>, String> {
    let mut command = cargo(root);
    command.args(["nextest", "run", "--workspace", "--bins", "--test", "e2e", "-E", ATTACKS, "--no-fail-fast"]);
    command.args(["--status-level", "fail", "--final-status-level", "none", "--failure-output", "never"]);
    if let Some(name) = off {
        command.env(VARIABLE, name);
    }
    let output = command.output().map_err(|error| format!("cargo can't be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !text.contains("tests run:") {
        return Err(format!("the attacks did not run: {text}"));
    }
    let failed = text.lines().filter(|line| !line.trim_start().starts_with("SLOW"));
    let names = failed.filter_map(|line| line.split_once("e2e attacks::").map(|(_, name)| name.trim().to_owned()));
    Ok(names.collect())
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

fn join(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "**none**".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ")
}

/// What the table says of checks that are run at another time.
fn known(root: &Path) -> BTreeMap<String, String> {
    let table = fs::read_to_string(root.join(TABLE)).unwrap_or_default();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`')?;
        let result = cells.last()?.strip_suffix(" |")?;
        (result != NOT_RUN).then(|| (name.to_owned(), result.to_owned()))
    };
    table.lines().filter_map(row).collect()
}

const NOT_RUN: &str = "not run yet";

fn write(root: &Path, results: &BTreeMap<String, String>) -> Result<(), String> {
    let mut table = "# Checks taken out\n\n\
        One check of the host after another is switched off, and all attacks of `tests/e2e/attacks` are run: `cargo run -p \
        xtask -- mutate`, which\nwrites this table. A check that no attack misses has another wall behind it, which the \
        second column names, or is a finding. Rows that begin with \"of\" were run with the cases of these modules alone.\n\n\
        | check | what is taken out | cases that failed |\n|---|---|---|\n"
        .to_owned();
    for check in CHECKS {
        let result = results.get(check.name).map_or(NOT_RUN, String::as_str);
        for cell in ["| `", check.name, "` | ", check.what, " | ", result, " |\n"] {
            table.push_str(cell);
        }
    }
    fs::write(root.join(TABLE), table).map_err(|error| format!("{TABLE}: {error}"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
