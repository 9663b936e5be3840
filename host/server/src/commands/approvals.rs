//! `bailiwick approvals`: calls that a person has to approve.

mod readable;

use bailiwick_wire::approval::{Approval, ApprovalState, Approvals as Listed};
use serde_json::{Map, Value, json};

use self::readable::readable;
use crate::cli::approvals::Approvals;
use crate::config::Config;
use crate::desk::Desk;
use crate::output::{Done, Exit, Failure, Output, tame};

/// Runs the command.
pub fn run(command: Approvals, config: &Config, out: Output) -> Done {
    let desk = Desk::open(config, out)?;
    match command {
        Approvals::List { all } => list(all, &desk, out),
        Approvals::Show { id } => {
            show(&desk.get(&path(&id, ""))?, out);
            Ok(())
        }
        Approvals::Approve { id, reason, args, until_expiry } => {
            let mut body = Map::from_iter([("decision".to_owned(), json!("approve"))]);
            body.extend(reason.map(|reason| ("reason".to_owned(), json!(reason))));
            if let Some(args) = args {
                let wrong = |error| Failure::new(Exit::Usage, format!("the arguments are not a JSON object: {error}"));
                let args: Map<String, Value> = serde_json::from_str(&args).map_err(wrong)?;
                body.insert("arguments".to_owned(), Value::Object(args));
            }
            if until_expiry {
                body.insert("uses".to_owned(), json!("until-expiry"));
            }
            answer(&id, &Value::Object(body), &desk, out)
        }
        Approvals::Deny { id, reason } => {
            let mut body = Map::from_iter([("decision".to_owned(), json!("deny"))]);
            body.extend(reason.map(|reason| ("reason".to_owned(), json!(reason))));
            answer(&id, &Value::Object(body), &desk, out)
        }
    }
}

/// The route of an approval, with `rest` behind its id.
pub(super) fn path(id: &str, rest: &str) -> String {
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    // Whatever else it is, it is not the id of an approval, and must not lead elsewhere.
    format!("/v1/approvals/{}{rest}", if plain { id } else { "unknown" })
}

fn answer(id: &str, body: &Value, desk: &Desk, out: Output) -> Done {
    let approval: Approval = desk.send("POST", &path(id, "/answer"), Some(body))?;
    if out.json {
        out.value(&json!(approval));
    } else {
        out.line(format!("{} is {}", approval.id, state(approval.state)));
    }
    Ok(())
}

fn list(all: bool, desk: &Desk, out: Output) -> Done {
    let query = if all { "" } else { "?state=pending" };
    let listed: Listed = desk.get(&format!("/v1/approvals{query}"))?;
    if out.json {
        out.value(&json!(listed));
        return Ok(());
    }
    if listed.approvals.is_empty() {
        out.line("No call waits for approval.");
        return Ok(());
    }
    let row = |approval: &Approval| {
        [
            approval.id.clone(),
            state(approval.state).to_owned(),
            format!("{} {}", approval.skill, tame(&approval.tool)),
            approval.principal.clone(),
            about(approval),
            approval.expires_at.clone(),
        ]
    };
    let rows: Vec<_> = listed.approvals.iter().map(row).collect();
    out.table(["APPROVAL", "STATE", "CALL", "FOR", "RISKS OR QUESTION", "UNTIL"], &rows);
    Ok(())
}

/// What makes it a question: the risks of a call, or what a running skill asks.
fn about(approval: &Approval) -> String {
    approval.summary.as_ref().map_or_else(|| approval.tags.join(", "), |summary| tame(summary).into_owned())
}

fn show(approval: &Approval, out: Output) {
    if out.json {
        out.value(&json!(approval));
    } else {
        for line in describe(approval, out) {
            out.line(line);
        }
    }
}

/// All that a person should know for an answer, line by line.
pub(super) fn describe(approval: &Approval, out: Output) -> Vec<String> {
    let kind = if approval.summary.is_some() { "asks" } else { "risks" };
    let mut lines = vec![
        format!("{}  {}", out.bold(&approval.id), state(approval.state)),
        format!("{} {} {}", approval.skill, approval.version, tame(&approval.tool)),
        format!("  bytes      {}", approval.digest),
        format!("  grant      {}", approval.grant),
        format!("  for        {}, trace {}", tame(&approval.principal), approval.trace_id),
        format!("  {kind:<9}  {}", about(approval)),
        format!("  asked      {}, until {}", approval.requested_at, approval.expires_at),
    ];
    if let Some(by) = &approval.decided_by {
        let reason = approval.reason.as_ref().map(|reason| format!(": {}", tame(reason))).unwrap_or_default();
        lines.push(format!("  answered   by {by} at {}{reason}", approval.decided_at.as_deref().unwrap_or("?")));
    }
    lines.push(if approval.summary.is_some() { "  details" } else { "  arguments" }.to_owned());
    let arguments = approval.edited_arguments.as_ref().unwrap_or(&approval.arguments);
    lines.extend(readable(arguments).iter().map(|line| format!("    {}", tame(line))));
    lines
}

const fn state(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Pending => "pending",
        ApprovalState::Approved => "approved",
        ApprovalState::Denied => "denied",
        ApprovalState::Used => "used",
        ApprovalState::Expired => "expired",
        ApprovalState::Withdrawn => "withdrawn",
    }
}
