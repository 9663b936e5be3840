//! People: they ask for runs, answer, change their minds, and listen.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::run::{RunId, Status};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};

use super::orders::Order;
use super::site::{Promise, Site};
use super::{laws, watch};
use crate::runtime::{ControlError, Follow, RunFilter, RunSummary, Runtime};

/// How long a person waits before they do the next thing.
const PAUSE: Duration = Duration::from_secs(6);

/// How long they wait for the host.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs that a person looks at: more than there are.
const ALL: usize = 100;

/// How often, and how often at the most, people look after runs until all are over. It is
/// far more time than all budgets together.
const ROUND: Duration = Duration::from_secs(1);
const ROUNDS: u32 = 7200;

/// Asks for what is wanted by the life of this number.
pub(super) fn order(site: &Arc<Site>, host: &Arc<Runtime>, life: u64) {
    let due: Vec<(usize, bool)> = site.book(|book| {
        let orders = book.orders.iter().enumerate().filter(|(_, order)| order.life <= life);
        let asks = orders.filter(|(_, order)| order.has_key() || !order.sent);
        asks.map(|(number, order)| (number, order.is_settled())).collect()
    });
    for (number, is_settled) in due {
        // Whoever was answered asks again now and then, and sometimes twice at once.
        let times = if is_settled { u64::from(site.happens(4)) } else { 1 + u64::from(site.happens(6)) };
        let most = if site.book(|book| book.orders[number].has_key()) { times } else { times.min(1) };
        for _ in 0..most {
            tokio::spawn(send(Arc::clone(site), Arc::clone(host), number));
        }
    }
}

async fn send(site: Arc<Site>, host: Arc<Runtime>, number: usize) {
    site.sleep_up_to(PAUSE).await;
    let (submission, was_sent) = site.book(|book| {
        let order = &mut book.orders[number];
        (order.submission.clone(), std::mem::replace(&mut order.sent, true))
    });
    match host.submit(submission).await {
        Ok(submitted) => {
            let id = submitted.id.clone();
            let before = site.book(|book| book.orders[number].id.replace(id.clone()));
            site.check(laws::answered(number, before.as_ref(), was_sent, &submitted));
            site.promise(Promise::Upto(id.clone(), 1));
            follow(&site, &host, &id);
        }
        Err(error) => site.check(laws::refused(number, &error, site.is_failing())),
    }
}

/// Does things to runs, now and then, without end.
pub(super) async fn meddle(site: Arc<Site>, host: Arc<Runtime>) {
    loop {
        site.sleep_up_to(PAUSE).await;
        let rows = all(&site, &host);
        if !rows.is_empty() {
            let row = site.pick(&rows);
            // A host that can't write doesn't answer.
            drop(timeout(PATIENCE, act(&site, &host, &row)).await);
        }
    }
}

async fn act(site: &Site, host: &Runtime, row: &RunSummary) {
    let (id, by) = (&row.id, site.name());
    let heard = match site.below(16) {
        0 | 1 => host.pause(id, &by).await,
        2 => host.cancel(id, &by, None).await,
        3 => host.resume(id, &by, site.happens(2)).await,
        4..=6 => host.retry(id, &by, None).await,
        7 => {
            let far = Duration::from_secs(1 + site.below(600));
            return site.clock.jump(site.happens(2), far);
        }
        _ => return attend(site, host, row).await,
    };
    hear(site, id, by, heard);
}

/// Answers what a run asks, and has it go on.
async fn attend(site: &Site, host: &Runtime, row: &RunSummary) {
    for question in site.deeds.questions.open() {
        if site.happens(2) {
            site.deeds.questions.answer(&question, !site.happens(4));
        }
    }
    match row.status {
        Status::Paused | Status::Interrupted => {
            let by = site.name();
            let heard = host.resume(&row.id, &by, site.happens(2)).await;
            hear(site, &row.id, by, heard);
        }
        Status::WaitingApproval => attend_wishes(site, host, &row.id).await,
        _ => {}
    }
}

/// Says who goes on with work that is given on, and whether tasks that failed are tried again.
async fn attend_wishes(site: &Site, host: &Runtime, id: &RunId) {
    let run = match host.run(id) {
        Ok(run) => run,
        Err(error) => return site.blame("a run that is listed", &error),
    };
    for (handoff, _) in run.asked_handoffs() {
        let by = site.name();
        let heard = host.answer_handoff(id, handoff, &by, !site.happens(3), None).await;
        hear(site, id, by, heard);
    }
    let tasks: Vec<u32> = run.asked_tasks().map(|(task, _)| task).collect();
    for task in tasks {
        let by = site.name();
        let heard = host.answer_task(id, task, &by, site.happens(2), None).await;
        hear(site, id, by, heard);
    }
}

/// What a person was answered is durable, whatever comes.
fn hear(site: &Site, id: &RunId, by: String, heard: Result<Status, ControlError>) {
    match heard {
        Ok(_) => site.promise(Promise::Word(id.clone(), by)),
        // The run was elsewhere by then.
        Err(ControlError::Illegal { .. } | ControlError::Unfit(_) | ControlError::Stopping) => {}
        Err(error) => site.blame("a person's word", &error),
    }
}

/// Looks after runs until all are over.
pub(super) async fn settle(site: &Site, host: &Runtime) {
    for _ in 0..ROUNDS {
        let mut open = all(site, host);
        open.retain(|row| !row.status.is_over());
        if open.is_empty() && site.book(|book| book.orders.iter().all(Order::is_settled)) {
            return;
        }
        for row in &open {
            drop(timeout(PATIENCE, attend(site, host, row)).await);
        }
        watch::places(site, host);
        sleep(ROUND).await;
    }
    for row in all(site, host).iter().filter(|row| !row.status.is_over()) {
        match host.run(&row.id) {
            Ok(run) => site.check(laws::over(&run)),
            Err(error) => site.blame("a run that never ends", &error),
        }
    }
    site.fault("not all that was wanted has come to its end".to_owned());
}

/// Every run.
pub(super) fn all(site: &Site, host: &Runtime) -> Vec<RunSummary> {
    host.runs(&RunFilter::default(), None, ALL).unwrap_or_else(|error| {
        site.blame("the list of runs", &error);
        Vec::new()
    })
}

/// Believes what is told of a run while it happens, and checks it.
pub(super) fn follow(site: &Arc<Site>, host: &Arc<Runtime>, id: &RunId) {
    let Some(Follow { mut durable, .. }) = host.follow(id) else { return };
    let (site, host, id) = (Arc::clone(site), Arc::clone(host), id.clone());
    tokio::spawn(async move {
        loop {
            let last = *durable.borrow_and_update();
            watch::durable(&site, &host, &id, last);
            if durable.changed().await.is_err() {
                return;
            }
        }
    });
}

/// Does the same with what is told of all of them.
pub(super) fn listen(site: &Arc<Site>, host: &Arc<Runtime>) {
    let mut bus = host.bus().subscribe();
    let (site, host) = (Arc::clone(site), Arc::clone(host));
    tokio::spawn(async move {
        loop {
            match bus.recv().await {
                Ok(told) => watch::told(&site, &host, &told),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
}
