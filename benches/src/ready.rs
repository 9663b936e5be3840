//! From the start of a process until every skill can be called.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child;
use crate::clock::{median, process_cpu};
use crate::floor;
use crate::guests;
use crate::host::{self, Installation};
use crate::report::{Goal, Row};

/// Numbers of skills that are tried.
const SKILLS: [usize; 3] = [1, 10, 100];

/// Starts of each variant, of which the middle one counts.
const RUNS: usize = 9;

/// Measures the start with each number of skills. Code is compiled before.
pub fn measure() -> Vec<Row> {
    SKILLS.into_iter().flat_map(with_skills).collect()
}

fn with_skills(skills: usize) -> Vec<Row> {
    let installation = Installation::new(skills, 1);
    let compiled = compiled(skills);
    let (config, folder) = (installation.config_path(), compiled.path().to_owned());
    let runs: Vec<[Value; 2]> = (0..RUNS).map(|_| [run("host", &config), run("floor", &folder)]).collect();
    assert!(runs.iter().flatten().all(|run| run["skills"] == skills), "a skill is missing: {runs:?}");
    let middle = |variant: usize, name: &str| median(runs.iter().map(|run| run[variant][name].as_f64().unwrap()));
    let row = |what: &str, name: &str, goal| Row {
        what: format!("ready: {what} until {skills} skill{} can be called", if skills == 1 { "" } else { "s" }),
        unit: "ms",
        ours: middle(0, name),
        floor: middle(1, name),
        goal,
    };
    let goal = if skills == 100 { Goal::RatioAtMost(1.5) } else { Goal::None };
    vec![row("CPU", "cpu", Goal::None), row("time", "wall", goal)]
}

fn run(variant: &str, path: &Path) -> Value {
    child::ask(&["ready", variant, path.to_str().unwrap()])
}

/// A folder with as many files of compiled code.
fn compiled(count: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = |number: usize| -> PathBuf { folder.path().join(number.to_string()) };
    floor::precompile(&guests::rust(), &file(0));
    for number in 1..count {
        fs::copy(file(0), file(number)).unwrap();
    }
    folder
}

/// In a child: starts, and says what that took in milliseconds.
pub fn start(variant: &str, path: &str) -> Value {
    let start = Instant::now();
    let skills = match variant {
        "host" => {
            let app = host::open(&host::read_config(Path::new(path)));
            let skills = app.registry.catalog().list().count();
            // What follows is not part of the start, and neither is the end.
            std::mem::forget(app);
            skills
        }
        "floor" => floor::load_all(Path::new(path)),
        other => panic!("no such variant: {other}"),
    };
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    json!({ "skills": skills, "cpu": milliseconds(process_cpu()), "wall": milliseconds(start.elapsed()) })
}
