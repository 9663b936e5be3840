//! The sources with a switch at every check.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::checks::{Check, Patch};

/// Names the checks that are off, with a comma between them.
pub(super) const VARIABLE: &str = "BAILIWICK_MUTANTS";

/// Where the switch is put: every crate of the host that has a check knows this one.
const SWITCH_FILE: &str = "host/domain/src/lib.rs";

/// The switch.
const SWITCH: &str = "
/// Whether this check is off.
pub fn mutant(name: &str) -> bool {
    static OFF: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| std::env::var(\"BAILIWICK_MUTANTS\").unwrap_or_default());
    OFF.split(',').any(|off| off == name)
}
";

/// However open a host without a check is, its requests stay on this machine.
const STAYS_HERE: [Patch; 3] = [
    Patch {
        file: "host/sandbox/src/capabilities/http/connect.rs",
        find: "let connected = timeout(patience,",
        replace: "if !address.ip().to_canonical().is_loopback() {
        return Err(Error::ConnectionTimeout);
    }
    let connected = timeout(patience,",
    },
    Patch {
        file: "host/sandbox/src/capabilities/http/connect.rs",
        find: "let found = timeout(PATIENCE, lookup_host(",
        replace: "if destination.host.contains(\"example\") {
        return Err(not_found());
    }
    let found = timeout(PATIENCE, lookup_host(",
    },
    Patch {
        file: "host/distribution/src/oci/http.rs",
        find: "let connected = timeout(CONNECT,",
        replace: "if !is_loopback(&host) {
            return Err(unreachable(\"it is not on this machine\".to_owned()));
        }
        let connected = timeout(CONNECT,",
    },
];

/// The launcher of commands.
const LAUNCH: &str = "host/server/src/commands/launch.rs";

/// The launcher of commands knows the switch, and no command sees it.
const LAUNCHER_KNOWS: [Patch; 5] = [
    Patch {
        file: "host/sandbox/src/capabilities/shell/process.rs",
        find: ".env_clear()",
        replace: ".env_clear().envs(std::env::var_os(\"BAILIWICK_MUTANTS\").map(|off| (\"BAILIWICK_MUTANTS\", off)))",
    },
    Patch {
        file: LAUNCH,
        find: "Command::new(\"bwrap\");",
        replace: "Command::new(\"bwrap\");\n    wrap.env_remove(\"BAILIWICK_MUTANTS\");",
    },
    // A constant asks nobody.
    Patch {
        file: LAUNCH,
        find: "const APART: [&str; 17] = [",
        replace: "static APART: std::sync::LazyLock<[&str; 17]> = std::sync::LazyLock::new(|| [",
    },
    Patch { file: LAUNCH, find: "\"ALL\",\n];", replace: "\"ALL\",\n]);" },
    Patch { file: LAUNCH, find: "wrap.args(APART)", replace: "wrap.args(*APART)" },
];

/// Every file that changes, by its path in the tree, with its new text; or what no
/// longer stands where it is looked for.
pub(super) fn apply(root: &Path, checks: &[Check]) -> Result<BTreeMap<&'static str, String>, Vec<String>> {
    let mut texts: BTreeMap<&'static str, String> = BTreeMap::new();
    let mut problems = Vec::new();
    let always = STAYS_HERE.into_iter().chain(LAUNCHER_KNOWS).map(|patch| ("(every run)", patch));
    let own = checks.iter().flat_map(|check| check.patches.iter().map(|patch| (check.name, *patch)));
    for (name, patch) in own.chain(always) {
        let text = match read(root, patch.file, &mut texts) {
            Ok(text) => text,
            Err(problem) => {
                problems.push(format!("{name}: {problem}"));
                continue;
            }
        };
        match text.matches(patch.find).count() {
            1 => *text = text.replacen(patch.find, &with_switch(name, &patch), 1),
            count => {
                problems.push(format!("{name}: `{}` must stand in {} once, found {count}", patch.find, patch.file));
            }
        }
    }
    match read(root, SWITCH_FILE, &mut texts) {
        Ok(text) => text.push_str(SWITCH),
        Err(problem) => problems.push(problem),
    }
    if problems.is_empty() { Ok(texts) } else { Err(problems) }
}

fn read<'t>(
    root: &Path,
    file: &'static str,
    texts: &'t mut BTreeMap<&'static str, String>,
) -> Result<&'t mut String, String> {
    if !texts.contains_key(file) {
        let text = fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
        texts.insert(file, text);
    }
    texts.get_mut(file).ok_or_else(|| file.to_owned())
}

/// The replacement, in which `{off}` asks the switch.
fn with_switch(name: &str, patch: &Patch) -> String {
    let domain = if patch.file.starts_with("host/domain/") { "crate" } else { "bailiwick_domain" };
    patch.replace.replace("{off}", &format!("{domain}::mutant(\"{name}\")"))
}
