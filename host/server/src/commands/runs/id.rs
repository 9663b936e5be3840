//! Ids of runs as people type them: whole, or cut short.

use std::collections::BTreeSet;

use bailiwick_wire::run::RunPage;

use crate::desk::Desk;
use crate::output::{Exit, Failure};

/// Digits of a whole id.
const DIGITS: usize = 32;

/// Runs among which a short id is looked for: five pages, which take milliseconds.
const NEWEST: usize = 1000;

/// Runs on a page of the route, as many as it gives.
pub(super) const PAGE: usize = 200;

/// Ids that are named where several fit.
const MAX_NAMED: usize = 8;

/// The id that is meant.
pub(super) fn resolve(typed: &str, desk: &Desk) -> Result<String, Failure> {
    let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if typed.is_empty() || typed.len() > DIGITS || !typed.chars().all(digit) {
        let problem = format!("`{typed}` is no id of a run: expected {DIGITS} hex digits, or the first of them");
        return Err(Failure::new(Exit::NotFound, problem));
    }
    if typed.len() == DIGITS { Ok(typed.to_owned()) } else { choose(typed, &newest(typed, desk)?) }
}

/// The newest runs whose ids begin so.
fn newest(prefix: &str, desk: &Desk) -> Result<BTreeSet<String>, Failure> {
    let (mut found, mut cursor) = (BTreeSet::new(), String::new());
    for _ in 0..NEWEST / PAGE {
        let page: RunPage = desk.get(&format!("/v1/agents/runs?limit={PAGE}{cursor}"))?;
        found.extend(page.runs.into_iter().map(|run| run.id).filter(|id| id.starts_with(prefix)));
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(found)
}

fn choose(prefix: &str, found: &BTreeSet<String>) -> Result<String, Failure> {
    let mut ids = found.iter();
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id.clone()),
        (None, _) => {
            let problem = format!("none of the newest {NEWEST} runs has an id that begins with `{prefix}`");
            Err(Failure::new(Exit::NotFound, problem))
        }
        _ => {
            // The newest are those that people mean.
            let named: Vec<_> = found.iter().rev().take(MAX_NAMED).map(|id| format!("\n  {id}")).collect();
            let count = found.len();
            let problem = format!("`{prefix}` is the beginning of {count} ids; the newest are{}", named.concat());
            Err(Failure::new(Exit::Usage, problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_means_the_only_run_that_it_fits() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
        assert_eq!(choose("01a", &ids(&["01ab"])).expect("one"), "01ab");
        let none = choose("01a", &ids(&[])).expect_err("none");
        assert_eq!(none.exit, Exit::NotFound);
        let several = choose("01", &ids(&["01ab", "01cd"])).expect_err("two");
        assert_eq!(several.exit, Exit::Usage);
        assert!(several.message.ends_with("2 ids; the newest are\n  01cd\n  01ab"), "{}", several.message);
    }
}
