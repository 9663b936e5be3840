//! One page about a skill.

use std::path::Path;

use bailiwick_skills::review::Review;
use serde_json::json;

use super::page;
use crate::desk::{Desk, encode};
use crate::output::{Done, Exit, Failure, Output, note, tame};

pub(super) fn run(skill: &str, html: Option<&Path>, desk: &Desk, out: Output) -> Done {
    let review: Review = desk.get(&format!("/v1/skills/{}/review", encode(skill)))?;
    if let Some(path) = html {
        let written = std::fs::write(path, page::html(&review));
        written.map_err(|error| Failure::new(Exit::Host, format!("{}: {error}", path.display())))?;
        note(format!("wrote {}", path.display()));
    }
    if out.json {
        out.value(&json!(review));
    } else {
        print(&review, out);
    }
    Ok(())
}

fn print(review: &Review, out: Output) {
    out.line(format!("{} {}  {}", out.bold(&review.skill), review.version, review.digest));
    match &review.problem {
        Some(problem) => out.line(out.red(&tame(problem))),
        None => out.line(out.green("granted")),
    }
    let section = |title: &str| out.line(format!("\n{}", out.bold(title)));
    section("What it can reach at all, by its imports");
    for reach in &review.reach {
        let mark = if reach.imported { "may  " } else { "never" };
        out.line(format!("  {mark}  {:<24} {}", reach.capability, reach.meaning));
    }
    section("Asks for");
    lines(review.asked.iter().map(|line| tame(line).into_owned()), "nothing", out);
    section("Granted");
    match &review.grant {
        None => out.line("  nothing"),
        Some(grant) => {
            let until = grant.expires_at.as_ref().map(|end| format!(", void from {end}")).unwrap_or_default();
            let reason = grant.reason.as_ref().map(|why| format!(": {}", tame(why))).unwrap_or_default();
            out.line(format!("  by {} at {}{until}{reason}", tame(&grant.giver), grant.given_at));
            let term = |term: &bailiwick_skills::review::ReviewedTerm| match term.used {
                None => tame(&term.term).into_owned(),
                Some(0) => format!("{}  {}", tame(&term.term), out.red("never used")),
                Some(calls) => format!("{}  used in {calls} calls", tame(&term.term)),
            };
            lines(grant.terms.iter().map(term), "to run, and to touch nothing", out);
        }
    }
    if !review.could_lose.is_empty() {
        section("Could shrink by what it never used");
        out.line(format!("  bailiwick grant narrow {} {}", review.skill, review.could_lose.join(" ")));
    }
    section("Asked for and withheld");
    lines(review.withheld.iter().map(|line| tame(line).into_owned()), "nothing", out);
    section("Has done");
    let history = &review.history;
    out.line(format!(
        "  {} calls{}",
        history.calls,
        history.last.as_ref().map(|at| format!(", the last at {at}")).unwrap_or_default()
    ));
    lines(history.outcomes.iter().map(|(outcome, calls)| format!("{calls:>8} {outcome}")), "", out);
    if !history.used.is_empty() {
        section("Has used");
        lines(history.used.iter().map(|(used, calls)| format!("{calls:>8} {}", tame(used))), "", out);
    }
    if !history.denials.is_empty() {
        section("Was denied");
        lines(history.denials.iter().map(|(what, times)| format!("{times:>8} {}", tame(what))), "", out);
    }
    section("Imports");
    lines(review.imports.iter().map(|line| tame(line).into_owned()), "nothing", out);
}

fn lines(lines: impl Iterator<Item = String>, empty: &str, out: Output) {
    let mut none = true;
    for line in lines {
        none = false;
        out.line(format!("  {line}"));
    }
    if none && !empty.is_empty() {
        out.line(format!("  {empty}"));
    }
}
