//! `bailiwick test`: the cases of a package.

use bailiwick_authoring::cases::{self, Case, CaseResult, Run};
use bailiwick_authoring::shown;
use bailiwick_domain::manifest::Kind;
use bailiwick_skills::package::{self, LoadOptions};
use serde_json::json;

use super::lab::{self, Lab};
use crate::cli::author::Test;
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output, note, tame};

/// Lines of a skill's log that are shown of a case that failed.
const MAX_LOG: usize = 20;

pub(super) fn run(test: &Test, config: &Config, out: Output) -> Done {
    let root = lab::package(&test.folder)?;
    if package::load_source(&root, &LoadOptions::default()).is_ok_and(|it| it.manifest.kind == Kind::Prompt) {
        let problem = "a prompt has no tool to call, and so nothing to test; `bailiwick check` looks at its text";
        return Err(Failure::new(Exit::Usage, problem));
    }
    let all = cases::read(&root).map_err(|error| Failure::new(Exit::Usage, error))?;
    let filter = test.filter.as_deref().unwrap_or_default();
    let meant = |case: &&Case| case.name.contains(filter) || case.file.to_string_lossy().contains(filter);
    let chosen: Vec<_> = all.iter().filter(meant).collect();
    if chosen.is_empty() {
        let problem = format!("no case has `{filter}` in its name or its file; there are {}", all.len());
        return Err(Failure::new(Exit::NotFound, problem));
    }
    let lab = Lab::new(config, out)?;
    let width = chosen.iter().map(|case| case.name.chars().count()).max().unwrap_or_default();
    let mut results = Vec::new();
    for case in chosen {
        let result = cases::run(case, &lab, Run { root: &root, update: test.update });
        if !out.json {
            print(&result, width, out);
        }
        results.push(result);
    }
    let failed = results.iter().filter(|result| result.problem.is_some()).count();
    let written = results.iter().filter(|result| result.updated.is_some()).count();
    let orphans = cases::orphans(&root, &all);
    if out.json {
        out.value(&json!({
            "package": root,
            "passed": results.len() - failed,
            "failed": failed,
            "written": written,
            "cases": results,
            "orphans": orphans,
        }));
    } else {
        out.line(summary(results.len() - failed, failed, written, out));
        for orphan in &orphans {
            note(format!("note: {} belongs to no case: remove it", orphan.display()));
        }
    }
    if failed > 0 { Err(Failure::new(Exit::Host, "")) } else { Ok(()) }
}

fn print(result: &CaseResult, width: usize, out: Output) {
    let name = tame(&result.name).into_owned();
    let Some(problem) = &result.problem else {
        let time = result.wall_ns.map(shown::time).unwrap_or_default();
        let written = result.updated.as_ref().map(|path| format!("  wrote {}", path.display())).unwrap_or_default();
        out.line(format!("{}    {name:width$}  {time:>8}{written}", out.green("ok")));
        return;
    };
    out.line(format!("{}  {name:width$}  {}:{}", out.red("FAIL"), result.file.display(), result.line));
    tame(&problem.message).lines().for_each(|line| out.line(format!("      {line}")));
    for line in problem.difference.iter().flat_map(|it| it.lines()) {
        let line = tame(line);
        let coloured = match line.chars().next() {
            Some('-') => out.red(&line),
            Some('+') => out.green(&line),
            _ => line.into_owned(),
        };
        out.line(format!("        {coloured}"));
    }
    for denial in &result.denials {
        out.line(format!("      denied: {}", tame(denial)));
    }
    let lines: Vec<_> = result.log.lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(MAX_LOG)) {
        out.line(format!("      log: {}", tame(line)));
    }
    if let Some(cure) = &problem.cure {
        out.line(format!("      cure: {}", tame(cure)));
    }
}

fn summary(passed: usize, failed: usize, written: usize, out: Output) -> String {
    let snapshots =
        |count| if count == 1 { "1 snapshot written".to_owned() } else { format!("{count} snapshots written") };
    let mut parts = vec![format!("{passed} passed")];
    parts.extend((failed > 0).then(|| out.red(&format!("{failed} failed"))));
    parts.extend((written > 0).then(|| snapshots(written)));
    parts.join(", ")
}
