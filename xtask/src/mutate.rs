//! Takes one check of the host out after another, and sees which attacks notice.
//!
//! The tree is copied to target/mutants, where every check gets a switch that a
//! variable of the environment asks. That copy is built once, into a folder of its
//! own, so that nothing of it is ever taken for the host; and the attacks are run
//! once for each check that is off.

mod attacks;
mod checks;
mod patch;
mod reasons;
mod table;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use attacks::Attacks;
use checks::Check;
use table::{Row, Table};

/// What the command line asks for.
struct Asked<'a> {
    /// Checks by name; none means every one that was not run on this host.
    names: Vec<&'a str>,
    /// How long checks are begun.
    time: Duration,
}

/// A run of everything takes an hour or two on two cores.
const A_DAY: Duration = Duration::from_hours(24);

/// Runs the attacks with each check off that is named, or with every one that the
/// table does not know of this host.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let asked = Asked::read(arguments)?;
    let checks = checks::all();
    if let Some(unknown) = asked.names.iter().find(|name| checks.iter().all(|check| check.name != **name)) {
        return Err(format!("there is no check `{unknown}` in xtask/src/mutate/checks"));
    }
    let host = host(root)?;
    let mut table = Table::read(root, &checks);
    let mut selected: Vec<&Check> = checks
        .iter()
        .filter(|it| if asked.names.is_empty() { !table.is_of(it, &host) } else { asked.names.contains(&it.name) })
        .collect();
    // What nobody knows is asked first.
    selected.sort_by_key(|check| table.knows(check));
    let patched = patch::apply(root, &checks).map_err(|problems| problems.join("\n"))?;
    let tree = tree::make(root, &patched)?;
    let attacks = Attacks::build(&tree)?;
    let begin = Instant::now();
    for (number, check) in selected.iter().enumerate() {
        if begin.elapsed() > asked.time {
            println!("{} of {} checks are left for another time", selected.len() - number, selected.len());
            break;
        }
        let row = attack(&attacks, check, &checks, &host)?;
        println!("{}/{} {}: {} of {}", number + 1, selected.len(), check.name, row.told(), row.tests);
        table.put(check, row);
        // After each, so that what was found outlives an interrupt.
        table.write(root, &checks, &attacks.cases())?;
    }
    table.write(root, &checks, &attacks.cases())?;
    table.judge(&checks, &attacks.cases())
}

impl<'a> Asked<'a> {
    fn read(arguments: &[&'a str]) -> Result<Self, String> {
        let (time, names) = match arguments {
            ["--minutes", minutes, names @ ..] => {
                let minutes: u64 = minutes.parse().map_err(|_| format!("--minutes: `{minutes}` is not a number"))?;
                (Duration::from_secs(minutes * 60), names)
            }
            names => (A_DAY, names),
        };
        Ok(Self { names: names.to_vec(), time })
    }
}

/// Runs the tests of one check: with it on, where all must pass, then with it off.
fn attack(attacks: &Attacks, check: &Check, checks: &[Check], host: &str) -> Result<Row, String> {
    let sound = attacks.sound(check)?;
    if !sound.is_empty() {
        return Err(format!("with every check on these fail: {}", sound.into_iter().collect::<Vec<_>>().join(" ")));
    }
    let (tests, failed) = attacks.run(check.of, &off(check, checks), check.forgets())?;
    Ok(Row { tests, failed: failed.into_iter().collect(), host: host.to_owned() })
}

/// The checks that are off together with `check`, itself first.
fn off(check: &Check, checks: &[Check]) -> BTreeSet<&'static str> {
    let mut names: BTreeSet<_> = check.with.iter().copied().collect();
    // One that is off with another may itself need a third.
    let others = checks.iter().filter(|it| check.with.contains(&it.name));
    names.extend(others.flat_map(|it| it.with.iter().copied()));
    names.insert(check.name);
    names
}

/// The commit that last changed the host, and whether it has changed since.
fn host(root: &Path) -> Result<String, String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(root).args(arguments).output();
        let output = output.map_err(|error| format!("git can't be started: {error}"))?;
        Ok::<_, String>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["log", "-1", "--format=%h", "--", "host"])?;
    let changed = !git(&["status", "--porcelain", "--", "host"])?.is_empty();
    Ok(if changed { format!("{commit}, changed") } else { commit })
}

/// Names of tests, whole.
type Cases = BTreeSet<String>;

/// What is known of each check, by name.
type Rows = BTreeMap<String, Row>;
