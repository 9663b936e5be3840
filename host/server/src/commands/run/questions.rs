//! Approvals that a run waits for: asked at the terminal where a person sits at it.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};
use std::thread;

use bailiwick_api::ControlClient;
use bailiwick_wire::approval::Approval;
use rustix::termios::{QueueSelector, tcflush};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::picture::Picture;
use super::screen::Screen;
use crate::commands::approvals::{describe, path};
use crate::desk::ask;
use crate::output::{Exit, Failure, Output, tame};

/// Lines that were typed and not looked at: one answers a question.
const TYPED: usize = 1;

/// The questions of one run.
pub(super) struct Questions {
    /// Whether a person can be asked here.
    here: bool,
    /// What they type, once they were asked something.
    typed: Option<mpsc::Receiver<String>>,
    /// Questions that were told already.
    told: BTreeSet<String>,
    open: Option<Open>,
}

/// The question that is asked now.
struct Open {
    approval: String,
    /// Whether it is denied, and the reason is asked for.
    denied: bool,
}

impl Questions {
    pub(super) fn new(out: Output) -> Self {
        let here = !out.json && io::stdin().is_terminal() && io::stderr().is_terminal();
        Self { here, typed: None, told: BTreeSet::new(), open: None }
    }

    /// Whether an answer is waited for.
    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The next line that is typed; none where no more will come.
    pub(super) async fn line(&mut self) -> Option<String> {
        self.typed.as_mut()?.recv().await
    }

    /// Asks what the run has to ask and was not asked yet.
    pub(super) async fn look(
        &mut self,
        picture: &Picture,
        screen: &mut Screen,
        client: &ControlClient,
    ) -> Result<(), Failure> {
        if self.open.as_ref().is_some_and(|open| picture.questions().all(|it| it != open.approval)) {
            self.open = None;
            screen.say("The question was answered elsewhere.");
            screen.go_on();
        }
        while self.open.is_none() {
            let new = picture.questions().find(|it| !self.told.contains(*it));
            let Some(approval) = new.map(str::to_owned) else { break };
            self.told.insert(approval.clone());
            let asked: Approval = ask(client, "GET", &path(&approval, ""), None).await?;
            if self.here {
                self.begin(&asked, screen);
            } else {
                tell(&asked, screen);
            }
        }
        Ok(())
    }

    fn begin(&mut self, asked: &Approval, screen: &mut Screen) {
        screen.hold();
        let plain = Output { json: false, colour: false };
        for line in describe(asked, plain) {
            screen.say(&line);
        }
        // What was typed before the question is no answer to it.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        let typed = self.typed.get_or_insert_with(listen);
        while typed.try_recv().is_ok() {}
        screen.say("Shall the call be made? y: yes, n: no");
        self.open = Some(Open { approval: asked.id.clone(), denied: false });
    }

    /// Takes what was typed.
    pub(super) async fn take(
        &mut self,
        line: Option<String>,
        screen: &mut Screen,
        client: &ControlClient,
    ) -> Result<(), Failure> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let Some(line) = line else {
            // Nobody sits here any more.
            self.here = false;
            screen.say(&how(&open.approval));
            screen.go_on();
            return Ok(());
        };
        let body = match (open.denied, line.trim()) {
            (true, "") => json!({ "decision": "deny" }),
            (true, reason) => json!({ "decision": "deny", "reason": reason }),
            (false, "y" | "Y" | "yes") => json!({ "decision": "approve" }),
            (false, "n" | "N" | "no") => {
                screen.say("Why? It is told to the agent; an empty line says nothing.");
                open.denied = true;
                self.open = Some(open);
                return Ok(());
            }
            _ => {
                screen.say("y: the call is made, n: it is not");
                self.open = Some(open);
                return Ok(());
            }
        };
        answer(&open.approval, &body, screen, client).await?;
        screen.go_on();
        Ok(())
    }
}

/// An approval that is no longer open is no failure of the command.
async fn answer(id: &str, body: &Value, screen: &mut Screen, client: &ControlClient) -> Result<(), Failure> {
    match ask::<Approval>(client, "POST", &path(id, "/answer"), Some(body)).await {
        Ok(_) => Ok(()),
        Err(Failure { exit: Exit::Usage | Exit::NotFound, message }) => {
            screen.say(&message);
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

/// Says how the question can be answered from elsewhere.
fn tell(asked: &Approval, screen: &mut Screen) {
    let risks = asked.tags.join(", ");
    let tool = tame(&asked.tool);
    screen.say(&format!("The run waits for a person: {} {tool} ({risks}). {}", asked.skill, how(&asked.id)));
}

fn how(id: &str) -> String {
    format!("Answer with `bailiwick approvals approve {id}` or `bailiwick approvals deny {id}`.")
}

/// Reads lines on a thread of its own, which ends with the process: a read from a
/// terminal can't be taken back.
fn listen() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(TYPED);
    thread::spawn(move || {
        for line in io::stdin().lines() {
            let Ok(line) = line else { break };
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
