//! The commands for agents and their runs.

use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Have an agent do something, and watch it.
///
/// The run is shown while it goes on; its output stands alone on stdout. Ctrl-C cancels
/// the run, and a second one leaves it. Where no server has the data folder, this command
/// is the host until the run is over.
#[derive(Debug, Args)]
pub struct Run {
    /// Which agent; or which workflow, by the id of its skill (`namespace/name`).
    #[arg(value_name = "AGENT")]
    pub agent: String,
    /// What is asked for, a JSON object for a workflow; `-` reads it from stdin.
    pub input: String,
    /// How urgent it is.
    #[arg(long, value_enum, default_value = "interactive")]
    pub class: Class,
    /// What it may take.
    #[command(flatten)]
    pub budget: Budget,
    /// Words of your own, to find the run by.
    #[arg(long, value_name = "WORDS")]
    pub label: Option<String>,
    /// Do it for each of these items, side by side.
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    pub each: Vec<String>,
    /// The agent that makes one answer of those for the items.
    #[arg(long, value_name = "AGENT", requires = "each")]
    pub reduce: Option<String>,
    /// Agents that it may give the work to.
    #[arg(long, value_name = "AGENT", num_args = 1.., conflicts_with = "each")]
    pub hand_to: Vec<String>,
    /// Go on with the other items where one fails.
    #[arg(long, requires = "each")]
    pub collect: bool,
    /// Print the id and leave the run to the server of this data folder.
    #[arg(long)]
    pub detach: bool,
}

/// How urgent a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Class {
    /// Somebody waits for it.
    Interactive,
    /// Somebody will look at it.
    Normal,
    /// It may take its time.
    Batch,
}

/// What a run may take.
#[derive(Debug, Args)]
pub struct Budget {
    /// Requests to models and calls of skills.
    #[arg(long, value_name = "STEPS")]
    pub budget_steps: Option<NonZeroU64>,
    /// Tokens of requests to models and of their answers, together.
    #[arg(long, value_name = "TOKENS")]
    pub budget_tokens: Option<NonZeroU64>,
    /// US dollars, e.g. `0.50`.
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub budget_usd: Option<f64>,
    /// Time from its start, e.g. `5 min`.
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
}

/// See runs, and say how they go on. An ID may be cut short where it stays the only one.
#[derive(Debug, Subcommand)]
pub enum Runs {
    /// List runs, the newest first.
    List(List),
    /// Show a run: its tasks and steps, what it took, what came of it, and what can be done.
    Show {
        /// Its id.
        id: String,
    },
    /// Print the graph of a run with all that was added to it, in the language of Mermaid.
    Graph {
        /// Its id.
        id: String,
        /// That of the subrun of this number, from `runs show`.
        #[arg(long, value_name = "NUMBER")]
        subrun: Option<u32>,
    },
    /// Print what happened to a run, a line each.
    Events {
        /// Its id.
        id: String,
        /// Go on until the run is over.
        #[arg(long)]
        follow: bool,
        /// Only what is behind the event of this number.
        #[arg(long, value_name = "NUMBER", default_value = "0")]
        after: u64,
    },
    /// End a run for good, what is under way included.
    Cancel {
        /// Its id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// End every open run, or those of an agent, or those that may call a skill.
    Stop {
        /// Every open run.
        #[arg(long, required_unless_present_any = ["agent", "skill"])]
        all: bool,
        /// Those that have this agent.
        #[arg(long, conflicts_with_all = ["all", "skill"])]
        agent: Option<String>,
        /// Those an agent of which may call this skill.
        #[arg(long, conflicts_with = "all")]
        skill: Option<String>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let nothing new begin in a run. What is under way comes to its end.
    Pause {
        /// Its id.
        id: String,
    },
    /// Say whether another agent takes over, which may call what the giver may not.
    Handoff {
        /// The id of the run.
        id: String,
        /// The number of the handoff, from `runs show` or `runs events`.
        number: u32,
        /// It takes over.
        #[arg(long, required_unless_present = "deny")]
        approve: bool,
        /// It doesn't, and the giver goes on.
        #[arg(long, conflicts_with = "approve")]
        deny: bool,
        /// Why not; the giver's model is told.
        #[arg(long, requires = "deny")]
        reason: Option<String>,
    },
    /// Say whether a task is tried once more that failed, and whose agent asks a person then.
    TaskAnswer {
        /// The id of the run.
        id: String,
        /// The number of the task, from `runs show` or `runs events`.
        task: u32,
        /// It is.
        #[arg(long, required_unless_present = "deny")]
        approve: bool,
        /// It isn't, and has failed.
        #[arg(long, conflicts_with = "approve")]
        deny: bool,
        /// Why not; it stands in the task's error.
        #[arg(long, requires = "deny")]
        reason: Option<String>,
    },
    /// Let a run go on that was paused or cut off.
    Resume(Resume),
    /// Try a failed run again from where it failed.
    Retry(Retry),
}

/// List runs, the newest first.
#[derive(Debug, Args)]
pub struct List {
    /// Only those that stand so.
    #[arg(long, value_parser = [
        "queued", "running", "waiting_approval", "paused", "interrupted", "completed", "failed", "cancelled",
    ])]
    pub status: Option<String>,
    /// Only those that have this agent.
    #[arg(long)]
    pub agent: Option<String>,
    /// Only those with this label.
    #[arg(long, value_name = "WORDS")]
    pub label: Option<String>,
    /// How many at the most.
    #[arg(long, default_value = "50")]
    pub limit: NonZeroU16,
}

/// Let a run go on that was paused or cut off.
#[derive(Debug, Args)]
pub struct Resume {
    /// Its id.
    pub id: String,
    /// Make the calls again that were cut off, whatever came of them before.
    #[arg(long)]
    pub repeat: bool,
    /// Don't make them again: their model is told that nobody knows what came of them.
    #[arg(long, conflicts_with = "repeat")]
    pub skip: bool,
    /// Watch it, as `run` does.
    #[arg(long)]
    pub follow: bool,
}

/// Try a failed run again from where it failed.
#[derive(Debug, Args)]
pub struct Retry {
    /// Its id.
    pub id: String,
    /// What it may take, what it took until now included; as before where nothing is said.
    #[command(flatten)]
    pub budget: Budget,
    /// Watch it, as `run` does.
    #[arg(long)]
    pub follow: bool,
}

/// See which agents there are and what they are at, and pause them.
#[derive(Debug, Subcommand)]
pub enum Agents {
    /// List every agent with what it is at and how it fared since the host started, and those
    /// whose files are broken.
    List {
        /// Only those that have this capability.
        #[arg(long, value_name = "WORD")]
        capability: Option<String>,
    },
    /// Show one agent: what it is at, how it fared, what it is told, asks and may call.
    Show {
        /// Its name.
        name: String,
    },
    /// Keep new runs from an agent, also after a restart. Those that have it go on.
    Pause {
        /// Its name.
        name: String,
    },
    /// Let new runs have an agent that was paused.
    Resume {
        /// Its name.
        name: String,
    },
    /// Read the file of an agent as the host would, and say what is wrong.
    Check {
        /// The file.
        file: PathBuf,
    },
}

/// Reads dollars, which are more than nothing.
fn dollars(text: &str) -> Result<f64, String> {
    let usd: f64 = text.trim_start_matches('$').parse().map_err(|_| "expected a number such as 0.50".to_owned())?;
    if usd.is_finite() && usd > 0.0 { Ok(usd) } else { Err("expected more than 0".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parse(line: &[&str]) -> Result<Command, String> {
        let words = std::iter::once("bailiwick").chain(line.iter().copied());
        Cli::try_parse_from(words).map(|cli| cli.command).map_err(|error| error.to_string())
    }

    #[test]
    fn a_map_takes_its_items_and_what_belongs_to_them() {
        let line = ["run", "scribe", "Sum it up.", "--each", "a", "b", "--reduce", "editor", "--budget-usd", "0.5"];
        let Ok(Command::Run(run)) = parse(&line) else { panic!("the line can't be read") };
        assert_eq!(run.each, ["a", "b"]);
        assert_eq!((run.reduce.as_deref(), run.budget.budget_usd), (Some("editor"), Some(0.5)));
        assert_eq!(run.class, Class::Interactive);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            ["run", "scribe", "x", "--collect"].as_slice(),
            &["run", "scribe", "x", "--reduce", "editor"],
            &["run", "scribe", "x", "--budget-usd", "0"],
            &["run", "scribe", "x", "--budget-usd", "NaN"],
            &["run", "scribe", "x", "--budget-steps", "0"],
            &["runs", "resume", "01", "--repeat", "--skip"],
            &["runs", "list", "--status", "sleeping"],
        ] {
            assert!(parse(line).is_err(), "{line:?}");
        }
    }
}
