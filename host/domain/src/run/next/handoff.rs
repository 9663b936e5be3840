//! Work that agents give to others.

use serde_json::{Value, json};

use super::super::event::{Event, Opening, Role};
use super::super::state::HandoffState;
use super::super::subrun::Scope;
use super::super::task::{Task, TaskOutcome};
use super::strategy::opening;
use super::{Plan, ended, quoted, refused};
use crate::model::ToolCall;

impl Plan<'_> {
    /// A model wants another agent to go on.
    pub(super) fn hand_over(
        &mut self,
        number: u32,
        task: &Task,
        call: &ToolCall,
        arguments: &Value,
        agents: &[String],
        max_depth: u32,
    ) {
        let run = self.run;
        let others: Vec<String> = agents.iter().filter(|agent| **agent != task.opening.agent).cloned().collect();
        let wanted = arguments.get("to").and_then(Value::as_str);
        let to = wanted.and_then(|name| others.iter().find(|agent| *agent == name));
        let problem = if task.calls.len() > 1 {
            "give the work to somebody when nothing else is asked for".to_owned()
        } else if run.depth(number) >= max_depth {
            format!("the work was given on {max_depth} times, as often as may be: do it yourself")
        } else if to.is_none() {
            format!("`to` must be one of {}", quoted(&others))
        } else {
            String::new()
        };
        let Some(to) = to.filter(|_| problem.is_empty()) else {
            return self.events.push(refused(number, call, &problem));
        };
        // Where the receiver fails, its fallback has the work, and nobody is asked then.
        let line = run.team.line_of(to);
        let asks = run.member(number).is_none_or(|giver| line.iter().any(|member| member.reaches_beyond(giver)));
        let reason = arguments.get("reason").and_then(Value::as_str).unwrap_or_default();
        let context = json!({
            "from": task.opening.agent,
            "reason": reason,
            "request": run.input(task.opening.subrun),
            "conversation": task.messages,
        });
        let handoff = run.handoffs.len() + self.handed;
        self.handed += 1;
        self.events.push(Event::HandoffInitiated {
            handoff: u32::try_from(handoff).unwrap_or(u32::MAX),
            task: number,
            call: call.id.clone(),
            to: to.clone(),
            context: format!("{context:#}"),
            asks,
        });
    }

    /// What follows on work that was given to others.
    pub(super) fn handoffs(&mut self, scope: &Scope<'_>) {
        let run = self.run;
        let own = |from: u32| run.tasks.get(from as usize).is_some_and(|task| task.opening.subrun == scope.subrun);
        for (number, handoff) in (0_u32..).zip(&run.handoffs).filter(|(_, handoff)| own(handoff.from)) {
            match handoff.state {
                HandoffState::Offered => self.events.push(Event::HandoffAccepted { handoff: number, by: None }),
                HandoffState::Accepted(None) => {
                    let input = handoff.context.clone();
                    self.open(Opening { handoff: Some(number), ..opening(scope, &handoff.to, Role::Work, input) });
                }
                HandoffState::Accepted(Some(task)) => {
                    match run.tasks.get(task as usize).and_then(|task| task.outcome.clone()) {
                        Some(outcome @ TaskOutcome::Done { .. }) => {
                            self.events.push(Event::HandoffCompleted { handoff: number });
                            self.events.push(ended(handoff.from, outcome));
                        }
                        Some(TaskOutcome::Failed { code, message }) => {
                            let reason = format!("`{}` failed: {code}: {message}", handoff.to);
                            self.events.push(Event::HandoffRolledBack { handoff: number, reason });
                        }
                        None => {}
                    }
                }
                HandoffState::Asked | HandoffState::Completed | HandoffState::Returned => {}
            }
        }
    }
}
