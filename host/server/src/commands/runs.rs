//! `bailiwick runs`: runs are listed and shown, and a person says how they go on.

mod events;
mod id;
mod show;

use bailiwick_wire::approval::Decision;
use bailiwick_wire::run::{
    CancelRequest, CancelRunsRequest, CancelledRuns, GrownGraph, HandoffAnswer, ResumeRequest, RetryRequest, Run,
    RunBudgetRequest, RunPage, RunStanding, RunStatus, RunSummary, TaskAnswer,
};
use serde_json::{Value, json};

use self::id::{PAGE, resolve};
use super::run::{Picture, advice, body, budget, follow, one_line, status, usd, what};
use crate::cli::run::{List, Resume, Retry, Runs};
use crate::config::Config;
use crate::desk::{Desk, encode};
use crate::output::{Done, Exit, Failure, Output};

/// Characters of a label or of names in a table.
const MAX_CELL: usize = 40;

/// Runs the command.
pub fn run(command: Runs, config: &Config, out: Output) -> Done {
    let desk = Desk::open(config, out)?;
    match command {
        Runs::List(wanted) => list(&wanted, &desk, out),
        Runs::Show { id } => show::show(&resolve(&id, &desk)?, &desk, out),
        Runs::Graph { id, subrun } => graph(&resolve(&id, &desk)?, subrun, &desk, out),
        Runs::Events { id, follow: true, after } => events::follow(&resolve(&id, &desk)?, after, &desk, out),
        Runs::Events { id, follow: false, after } => events::list(&resolve(&id, &desk)?, after, &desk, out),
        Runs::Cancel { id, reason } => {
            tell(&resolve(&id, &desk)?, "cancel", &body(&CancelRequest { reason }), &desk, out)
        }
        Runs::Stop { all, agent, skill, reason } => {
            stop(&body(&CancelRunsRequest { all, agent, skill, reason }), &desk, out)
        }
        Runs::Pause { id } => tell(&resolve(&id, &desk)?, "pause", &Value::Null, &desk, out),
        Runs::Handoff { id, number, approve, reason, .. } => {
            let decision = if approve { Decision::Approve } else { Decision::Deny };
            let what = format!("handoffs/{number}/answer");
            tell(&resolve(&id, &desk)?, &what, &body(&HandoffAnswer { decision, reason }), &desk, out)
        }
        Runs::TaskAnswer { id, task, approve, reason, .. } => {
            let decision = if approve { Decision::Approve } else { Decision::Deny };
            let what = format!("tasks/{task}/answer");
            tell(&resolve(&id, &desk)?, &what, &body(&TaskAnswer { decision, reason }), &desk, out)
        }
        Runs::Resume(wanted) => resume(&wanted, &desk, out),
        Runs::Retry(wanted) => retry(&wanted, &desk, out),
    }
}

fn list(wanted: &List, desk: &Desk, out: Output) -> Done {
    let filters = [("status", &wanted.status), ("agent", &wanted.agent), ("label", &wanted.label)];
    let filters: String = filters
        .into_iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| format!("&{key}={}", encode(value))))
        .collect();
    let (mut runs, mut cursor) = (Vec::new(), String::new());
    let most = usize::from(wanted.limit.get());
    while runs.len() < most {
        let limit = PAGE.min(most - runs.len());
        let page: RunPage = desk.get(&format!("/v1/agents/runs?limit={limit}{filters}{cursor}"))?;
        runs.extend(page.runs);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    if out.json {
        out.value(&json!({ "runs": runs }));
    } else if runs.is_empty() {
        out.line("There is no such run.");
    } else {
        let rows: Vec<_> = runs.iter().map(row).collect();
        out.table(["RUN", "STATUS", "CLASS", "AGENTS", "LABEL", "STEPS", "TOKENS", "COST", "QUEUED"], &rows);
    }
    Ok(())
}

fn row(run: &RunSummary) -> [String; 9] {
    let code = run.code.as_ref().map(|code| format!(" {}", one_line(code, MAX_CELL))).unwrap_or_default();
    [
        run.id.clone(),
        format!("{}{code}", status(run.status)),
        show::class(run.class).to_owned(),
        one_line(&run.agents.join(", "), MAX_CELL),
        one_line(run.label.as_deref().unwrap_or_default(), MAX_CELL),
        run.spend.steps.to_string(),
        (run.spend.input_tokens + run.spend.output_tokens).to_string(),
        usd(run.spend.usd).unwrap_or_default(),
        run.queued_at.clone(),
    ]
}

fn graph(id: &str, subrun: Option<u32>, desk: &Desk, out: Output) -> Done {
    let of = subrun.map(|subrun| format!("?subrun={subrun}")).unwrap_or_default();
    let graph: GrownGraph = desk.get(&format!("/v1/agents/runs/{id}/graph{of}"))?;
    if out.json {
        out.value(&json!(graph));
    } else {
        // All that could steer a terminal stands there by its number.
        graph.mermaid.lines().for_each(|line| out.line(line));
    }
    Ok(())
}

/// Ends many runs at once.
fn stop(request: &Value, desk: &Desk, out: Output) -> Done {
    let ended: CancelledRuns = desk.send("POST", "/v1/agents/runs/cancel", Some(request))?;
    if out.json {
        out.value(&json!(ended));
    } else if ended.cancelled.is_empty() {
        out.line("There was no such run to end.");
    } else {
        for id in &ended.cancelled {
            out.line(format!("{id} is {}", status(RunStatus::Cancelled)));
        }
    }
    Ok(())
}

/// Tells a run something, and says where it stands then.
fn tell(id: &str, what: &str, request: &Value, desk: &Desk, out: Output) -> Done {
    let standing = send(id, what, request, desk)?;
    if out.json {
        out.value(&json!(standing));
    } else {
        out.line(format!("{} is {}", standing.id, status(standing.status)));
    }
    Ok(())
}

fn send(id: &str, what: &str, request: &Value, desk: &Desk) -> Result<RunStanding, Failure> {
    let request = (!request.is_null()).then_some(request);
    desk.send("POST", &format!("/v1/agents/runs/{id}/{what}"), request)
}

fn resume(wanted: &Resume, desk: &Desk, out: Output) -> Done {
    let id = resolve(&wanted.id, desk)?;
    let picture = desk.runtime().block_on(Picture::read(desk.client(), &id))?;
    if !picture.run.interrupted.is_empty() && !wanted.repeat && !wanted.skip {
        return Err(undecided(&picture));
    }
    let request = body(&ResumeRequest { repeat: wanted.repeat });
    go_on(&picture.run, "resume", &request, wanted.follow, desk, out)
}

/// Whether calls are made twice is for a person to say, who has to see them.
fn undecided(picture: &Picture) -> Failure {
    let call = |number: &u32| match picture.steps.get(number) {
        Some(step) => format!("\n  step {number}: {}", what(step)),
        None => format!("\n  step {number}"),
    };
    let calls: Vec<_> = picture.run.interrupted.iter().map(call).collect();
    let problem = format!(
        "the run was cut off in calls that may have taken effect:{}\nsay --repeat to have them made again, or --skip to \
         have the model told that nobody knows what came of them",
        calls.concat()
    );
    Failure::new(Exit::Usage, problem)
}

fn retry(wanted: &Retry, desk: &Desk, out: Output) -> Done {
    let run: Run = desk.get(&format!("/v1/agents/runs/{}", resolve(&wanted.id, desk)?))?;
    let asked = budget(&wanted.budget);
    let budget = (asked != RunBudgetRequest::default()).then_some(asked);
    go_on(&run, "retry", &body(&RetryRequest { budget }), wanted.follow, desk, out)
}

/// Lets a run go on, and watches it where that is wanted or where it goes on in this process.
fn go_on(run: &Run, what: &str, request: &Value, watched: bool, desk: &Desk, out: Output) -> Done {
    if !watched && !desk.is_here() {
        tell(&run.id, what, request, desk, out)?;
        let queued = Run { status: RunStatus::Queued, ..run.clone() };
        if let Some(advice) = advice(&queued).filter(|_| !out.json) {
            out.line(format!("next: {advice}"));
        }
        return Ok(());
    }
    send(&run.id, what, request, desk)?;
    follow(desk, &run.id, run.checkpoint, out)
}
