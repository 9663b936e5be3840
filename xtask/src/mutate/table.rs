//! The document: what was taken out, which attacks noticed, and which never do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::attacks::CASES;
use super::checks::Check;
use super::reasons::REASONS;
use super::{Cases, Rows};

/// Where it is.
const FILE: &str = "docs/mutations.md";

/// A module of attacks, and another one: its attacks have their whole names.
const BOTH: &str = "shell";

const NOT_RUN: &str = "not run yet";
const NOBODY: &str = "**none**";

/// What was found for one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Tests that were run.
    pub(super) tests: usize,
    /// Those that failed.
    pub(super) failed: Cases,
    /// The commit of the host.
    pub(super) host: String,
}

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Table(Rows);

impl Row {
    /// The tests that failed, as the table has them.
    pub(super) fn told(&self) -> String {
        if self.failed.is_empty() { NOBODY.to_owned() } else { names(self.failed.iter().map(String::as_str)) }
    }
}

impl Table {
    /// What the document says. A check of which other tests are run by now is not known.
    pub(super) fn read(root: &Path, checks: &[Check]) -> Self {
        let text = fs::read_to_string(root.join(FILE)).unwrap_or_default();
        Self::parse(&text, checks)
    }

    pub(super) fn parse(text: &str, checks: &[Check]) -> Self {
        let row = |line: &str| {
            let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").collect();
            let [name, what, tests, failed, host] = cells.as_slice() else { return None };
            let name = name.strip_suffix('`')?;
            let check = checks.iter().find(|check| check.name == name)?;
            let (count, of) = tests.split_once(" of ")?;
            let same = *what == self::what(check) && of == self::of(check);
            let failed = failed.split('`').skip(1).step_by(2).map(whole).collect();
            let row = Row { tests: count.parse().ok()?, failed, host: (*host).to_owned() };
            same.then(|| (name.to_owned(), row))
        };
        Self(text.lines().filter_map(row).collect())
    }

    /// Whether the check was run on this host.
    pub(super) fn is_of(&self, check: &Check, host: &str) -> bool {
        self.0.get(check.name).is_some_and(|row| row.host == host)
    }

    /// Whether the check was run at all.
    pub(super) fn knows(&self, check: &Check) -> bool {
        self.0.contains_key(check.name)
    }

    pub(super) fn put(&mut self, check: &Check, row: Row) {
        self.0.insert(check.name.to_owned(), row);
    }

    /// What was found for the check of this name.
    #[cfg(test)]
    pub(super) fn get(&self, name: &str) -> Option<&Row> {
        self.0.get(name)
    }

    /// Writes the document.
    pub(super) fn write(&self, root: &Path, checks: &[Check], cases: &[&str]) -> Result<(), String> {
        fs::write(root.join(FILE), self.text(checks, cases)).map_err(|error| format!("{FILE}: {error}"))
    }

    /// Whether every check is noticed, and every case notices one or has its reason.
    pub(super) fn judge(&self, checks: &[Check], cases: &[&str]) -> Result<(), String> {
        let unnoticed = |check: &&Check| self.0.get(check.name).is_some_and(|row| row.failed.is_empty());
        let mut problems: Vec<String> = checks
            .iter()
            .filter(unnoticed)
            .map(|check| format!("nothing notices that {} is off", check.name))
            .collect();
        if checks.iter().all(|check| self.0.contains_key(check.name)) {
            let without_reason = self.unnoticing(cases).into_iter().filter(|case| reason(case).is_none());
            problems.extend(without_reason.map(|case| format!("{case} notices no check, and no reason is given")));
            let known = REASONS.iter().flat_map(|reason| reason.cases);
            let wrong = known.filter(|case| !cases.contains(case) || self.notices(case));
            problems.extend(wrong.map(|case| format!("{case} notices a check or is gone, and a reason is given")));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    }

    fn notices(&self, case: &str) -> bool {
        let name = format!("{CASES}{case}");
        self.0.values().any(|row| row.failed.contains(&name))
    }

    fn unnoticing<'c>(&self, cases: &[&'c str]) -> Vec<&'c str> {
        cases.iter().copied().filter(|case| !self.notices(case)).collect()
    }

    pub(super) fn text(&self, checks: &[Check], cases: &[&str]) -> String {
        let mut text = format!(
            "# Checks taken out\n\n\
             {}\n\n\
             One check of the host after another is switched off in a copy of the tree, and the tests that the third\n\
             column names are run on it: `cargo run -p xtask -- mutate` does that, and writes this document. With every check\n\
             on, each of these tests passes. A name that ends in `*` means all that begin so; modules are those of\n\
             `tests/e2e`, and where none is named, of `tests/e2e/attacks`. What is off \"with\" another check has that\n\
             one for a second wall, so that both are off.\n\n\
             | check | what holds without it | tests | those that failed | host |\n|---|---|---|---|---|\n",
            self.summary(checks)
        );
        for check in checks {
            let row = self.0.get(check.name);
            let tests = row.map_or_else(|| "?".to_owned(), |row| row.tests.to_string());
            let failed = row.map_or_else(|| NOT_RUN.to_owned(), Row::told);
            let host = row.map_or("", |row| row.host.as_str());
            let _ =
                writeln!(text, "| `{}` | {} | {tests} of {} | {failed} | {host} |", check.name, what(check), of(check));
        }
        text.push_str(&self.rest(cases));
        text
    }

    /// How far the table is up to date.
    fn summary(&self, checks: &[Check]) -> String {
        let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.0.values() {
            *hosts.entry(row.host.as_str()).or_default() += 1;
        }
        let hosts: Vec<String> = hosts.iter().map(|(host, count)| format!("{count} on the host of `{host}`")).collect();
        format!(
            "Of {} checks of the host, {} were run: {}. A host is named by the commit that last changed\n\
             it; `git log -1 --format=%h -- host` says which one is at hand.",
            checks.len(),
            self.0.len(),
            hosts.join(", ")
        )
    }

    /// The cases that notice nothing, by the reason for it.
    fn rest(&self, cases: &[&str]) -> String {
        let unnoticing = self.unnoticing(cases);
        let mut text = format!(
            "\n## Cases that notice none of these\n\n\
             {} of the {} cases of `tests/e2e/attacks` pass whichever check is off: what stops them is not a check of this\n\
             host, or has a wall behind it that can't be taken out.\n",
            unnoticing.len(),
            cases.len()
        );
        for reason in REASONS {
            let of_it: Vec<&str> = unnoticing.iter().copied().filter(|case| reason.cases.contains(case)).collect();
            if !of_it.is_empty() {
                let _ = write!(text, "\n**{}** {}\n", reason.who, reason.why);
                let _ = write!(text, "\n{}\n", names(of_it.into_iter()));
            }
        }
        let open: Vec<&str> = unnoticing.iter().copied().filter(|case| reason(case).is_none()).collect();
        if !open.is_empty() {
            let _ = write!(text, "\n**No reason is known.**\n\n{}\n", names(open.into_iter()));
        }
        text
    }
}

fn reason(case: &str) -> Option<&'static str> {
    REASONS.iter().find(|reason| reason.cases.contains(&case)).map(|reason| reason.who)
}

fn what(check: &Check) -> String {
    if check.with.is_empty() {
        return check.what.to_owned();
    }
    format!("{}; with {}", check.what, names(check.with.iter().copied()))
}

fn of(check: &Check) -> String {
    let all: Vec<String> = check.of.iter().map(|prefix| format!("{prefix}*")).collect();
    names(all.iter().map(String::as_str))
}

/// Names between backticks; what is usual is left out.
fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let short = |name: &'n str| match name.strip_prefix(CASES) {
        Some(case) if !case.starts_with(BOTH) => format!("`{case}`"),
        _ => format!("`{name}`"),
    };
    names.map(short).collect::<Vec<_>>().join(" ")
}

/// The whole name again: modules of attacks are told apart by the tests that there are.
fn whole(name: &str) -> String {
    const OTHERS: [&str; 11] = [
        "attacks::",
        "cli::",
        "hostile::",
        "install::",
        "observe::",
        "rest::",
        "sandbox::",
        "secrets::",
        "settings::limits::",
        "settings::skills::",
        "shell::",
    ];
    let other = OTHERS.iter().any(|module| name.starts_with(module));
    if other { name.to_owned() } else { format!("{CASES}{name}") }
}
