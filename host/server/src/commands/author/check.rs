//! `bailiwick check`: what is wrong with a package, and the cure.

use std::path::Path;

use bailiwick_authoring::check;
use bailiwick_authoring::finding::{Finding, Report, Severity};
use serde_json::json;

use super::build::{self, Terminal};
use super::lab;
use crate::app;
use crate::cli::author::Check;
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output, tame};

pub(super) fn run(check: &Check, config: &Config, out: Output) -> Done {
    let root = lab::package(&check.folder)?;
    let config = Config { cache_dir: lab::cache(config), ..config.clone() };
    // First, for what is built then is checked.
    let rebuilt = if check.reproducible { reproducible(&root, out)? } else { Vec::new() };
    let findings = check::check(&root, &app::reader(&config)?).findings;
    let report = Report::new(rebuilt.into_iter().chain(findings).collect());
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    if out.json {
        out.value(&json!({
            "package": root,
            "errors": errors,
            "warnings": warnings,
            "findings": report.findings,
        }));
    } else {
        print(&report, out);
    }
    let failed = errors > 0 || (check.strict && warnings > 0);
    if failed { Err(Failure::new(Exit::Host, "")) } else { Ok(()) }
}

fn reproducible(root: &Path, out: Output) -> Result<Vec<Finding>, Failure> {
    let mut terminal = Terminal::new(out);
    let findings = check::reproducible(root, &build::options()?, &mut terminal);
    terminal.end();
    Ok(findings)
}

fn print(report: &Report, out: Output) {
    for finding in &report.findings {
        print_finding(finding, out);
    }
    let count = |severity, one: &str| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {one}")),
        many => Some(format!("{many} {one}s")),
    };
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let counts: Vec<_> = counts.into_iter().filter_map(|(severity, one)| count(severity, one)).collect();
    let sum = if counts.is_empty() { "nothing to say".to_owned() } else { counts.join(", ") };
    let good = report.count(Severity::Error) == 0;
    out.line(if good { format!("{}: {sum}", out.green("ok")) } else { format!("{}: {sum}", out.red("not ready")) });
}

fn print_finding(finding: &Finding, out: Output) {
    let severity = finding.severity.to_string();
    let severity = match finding.severity {
        Severity::Error => out.red(&severity),
        Severity::Warning => out.bold(&severity),
        Severity::Note => severity,
    };
    out.line(format!("{severity}[{}] {}", finding.code, tame(&finding.place())));
    tame(&finding.message).lines().for_each(|line| out.line(format!("  {line}")));
    out.line(format!("  cure: {}\n", tame(&finding.cure)));
}
