//! A run followed until it ends: what the host tells, what is typed, and Ctrl-C.

use std::time::Duration;

use bailiwick_api::ControlClient;
use bailiwick_wire::run::{Run, RunStanding, RunStatus};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::MissedTickBehavior;

use super::end::finish;
use super::picture::Picture;
use super::questions::Questions;
use super::screen::Screen;
use super::stream::{Reader, Told};
use super::text::is_over;
use crate::desk::{Desk, ask};
use crate::output::{Done, Exit, Failure, Output};

/// Between two drawings, so that times go on where nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// Follows a run from behind the event `after`, and ends as it does.
pub(in crate::commands) fn follow(desk: &Desk, id: &str, after: u64, out: Output) -> Done {
    // Approvals are answered from other terminals too.
    let socket = desk.listen()?;
    let run = desk.runtime().block_on(watch(desk.client(), id, after, out));
    drop(socket);
    finish(&run?, out)
}

async fn watch(client: &ControlClient, id: &str, after: u64, out: Output) -> Result<Run, Failure> {
    let mut interrupts = signal(SignalKind::interrupt()).map_err(|error| Failure::new(Exit::Host, error))?;
    let mut watch = Watch {
        client,
        path: format!("/v1/agents/runs/{id}"),
        picture: Picture::read(client, id).await?,
        screen: Screen::new(out),
        questions: Questions::new(out),
        cancelled: false,
    };
    let ended = watch.go(after, &mut interrupts).await;
    watch.screen.end(&watch.picture);
    ended.map(|()| watch.picture.run)
}

/// A run that is watched.
struct Watch<'c> {
    client: &'c ControlClient,
    /// Its route.
    path: String,
    picture: Picture,
    screen: Screen,
    questions: Questions,
    /// Whether it was cancelled here.
    cancelled: bool,
}

impl Watch<'_> {
    async fn go(&mut self, after: u64, interrupts: &mut Signal) -> Result<(), Failure> {
        let host = |error: std::io::Error| Failure::new(Exit::Host, format!("the host is gone: {error}"));
        let (path, headers) =
            (format!("{}/events?after={after}", self.path), [("accept", "text/event-stream".to_owned())]);
        let mut pieces = self.client.open("GET", &path, &headers, None).await.map_err(host)?;
        if pieces.status() != 200 {
            let status = pieces.status();
            return Err(Failure::new(Exit::Host, format!("the host answered with status {status}")));
        }
        let mut reader = Reader::default();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.questions.look(&self.picture, &mut self.screen, self.client).await?;
        while self.picture.run.status != RunStatus::Interrupted {
            tokio::select! {
                piece = pieces.next() => match piece.map_err(host)? {
                    Some(piece) => self.read(&mut reader, &piece).await?,
                    None => break,
                },
                line = self.questions.line(), if self.questions.is_open() => {
                    self.questions.take(line, &mut self.screen, self.client).await?;
                    self.questions.look(&self.picture, &mut self.screen, self.client).await?;
                }
                _ = interrupts.recv() => self.interrupt(interrupts).await?,
                _ = ticks.tick() => self.screen.draw(&self.picture),
            }
        }
        self.renew().await
    }

    async fn read(&mut self, reader: &mut Reader, piece: &[u8]) -> Result<(), Failure> {
        let mut again = false;
        for told in reader.read(piece)? {
            match told {
                Told::Kept(event) => {
                    self.screen.event(&event);
                    again |= self.picture.take(&event);
                }
                Told::Heard(name, news) => {
                    self.screen.heard(&name, &news);
                    self.picture.hear(&name, &news);
                }
            }
        }
        if again {
            self.renew().await?;
        }
        self.questions.look(&self.picture, &mut self.screen, self.client).await
    }

    async fn renew(&mut self) -> Result<(), Failure> {
        self.picture.renew(Picture::read(self.client, &self.picture.run.id).await?);
        Ok(())
    }

    /// Cancels the run at the first Ctrl-C, and leaves it at the second.
    async fn interrupt(&mut self, interrupts: &mut Signal) -> Result<(), Failure> {
        let left = || {
            let id = &self.picture.run.id;
            Failure::new(Exit::Ended, format!("left the run; `bailiwick runs show {id}` says how it stands"))
        };
        if self.cancelled || is_over(self.picture.run.status) {
            return Err(left());
        }
        self.screen.say("The run is being cancelled. Ctrl-C again leaves it.");
        let (path, body) = (format!("{}/cancel", self.path), json!({ "reason": "Ctrl-C at the terminal" }));
        tokio::select! {
            told = ask::<RunStanding>(self.client, "POST", &path, Some(&body)) => {
                // It may have ended by itself meanwhile.
                if let Err(failure) = told {
                    self.screen.say(&failure.message);
                }
            }
            _ = interrupts.recv() => return Err(left()),
        }
        self.cancelled = true;
        Ok(())
    }
}
