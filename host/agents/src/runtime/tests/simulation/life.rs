//! The lives of a host: processes that end in any way, one after another on what is left of
//! a disk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::model::Model;
use bailiwick_domain::run::EventKind;
use bailiwick_domain::span::NullTracer;
use bailiwick_journal::Journal;
use bailiwick_journal::simulation::Disk;
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};

use super::super::crash::Seed;
use super::clock::DrawnIds;
use super::script::{Hands, Script};
use super::site::Site;
use super::{laws, people, watch};
use crate::registry::Agents;
use crate::runtime::{ControlError, Runtime, RuntimeOptions, RuntimeParts};
use crate::scheduler::queue::QueueSettings;
use crate::skills::Skills;

/// How often to look whether the disk is still there.
const LOOK: Duration = Duration::from_millis(250);

/// People who meddle at once.
const PEOPLE: u32 = 2;

/// How long a host that is asked to stop lets go on what is under way.
const DRAIN: Duration = Duration::from_secs(2);

/// How a process fares.
#[derive(Debug)]
pub(super) struct Fate {
    /// Its number.
    life: u64,
    /// After how many operations its disk fails, if it does.
    fails_after: Option<u64>,
    /// Whether they count from before the journal is opened.
    fails_early: bool,
    /// How long it goes on when the disk is gone.
    lingers: Duration,
    /// How long it lives at the most.
    lasts: Duration,
    end: End,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is killed, and all that it wrote is there.
    Kill,
    /// The power is cut: what was not synced is there or not.
    PowerCut,
    /// It is asked to stop.
    Stop,
}

impl Fate {
    /// What becomes of the process of this number.
    pub(super) fn draw(site: &Site, life: u64) -> Self {
        let fails = !site.happens(4);
        Self {
            life,
            fails_after: fails.then(|| site.below(90)),
            // A journal that was never whole is for the journal's own tests.
            fails_early: life > 0 && site.happens(4),
            lingers: Duration::from_millis(site.pick(&[0, 0, 3000])),
            lasts: Duration::from_millis(500 + site.below(40_000)),
            end: site.pick(&[End::Kill, End::PowerCut, End::PowerCut, End::Stop]),
        }
    }
}

/// One process, and the disk that it leaves.
pub(super) fn live(site: &Arc<Site>, disk: Disk, fate: &Fate) -> Disk {
    site.note(format!("{fate:?}"));
    let process = process();
    let left = process.block_on(async {
        site.clock.begin();
        if let Some(after) = fate.fails_after.filter(|_| fate.fails_early) {
            site.let_fail(&disk, after);
        }
        let host = start(site, &disk).await;
        if let Some(host) = &host {
            go_on(site, host, &disk, fate).await;
        }
        let left = leave(site, host, &disk, fate.end).await;
        site.clock.end();
        left
    });
    site.leave();
    // As after a `kill -9`, nobody gets to say anything: every task goes where it stands.
    drop(process);
    left.unwrap_or_else(|| {
        disk.mend();
        disk
    })
}

/// The last process. Nothing fails any more, and people answer until all is done. Says
/// what happened to the runs.
pub(super) fn live_to_the_end(site: &Arc<Site>, disk: &Disk, life: u64) -> BTreeSet<EventKind> {
    let process = process();
    let kinds = process.block_on(async {
        site.clock.begin();
        let Some(host) = start(site, disk).await else { return BTreeSet::new() };
        people::order(site, &host, life);
        people::settle(site, &host).await;
        // The last actor is about to go.
        sleep(LOOK).await;
        watch::settled(site, &host);
        watch::reopened(site, &host);
        let kinds = watch::examine(site, &host);
        host.stop(DRAIN).await;
        kinds
    });
    site.leave();
    drop(process);
    kinds
}

fn process() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a process")
}

/// A host on what is there; `None` where its disk keeps it from that.
async fn start(site: &Arc<Site>, disk: &Disk) -> Option<Arc<Runtime>> {
    let host = match open(site, disk) {
        Ok(host) => host,
        Err(error) => {
            site.blame("the host can't begin", &error);
            return None;
        }
    };
    site.enter(&host);
    people::listen(site, &host);
    match host.recover().await {
        Ok(recovered) => site.check(laws::whole(&recovered)),
        Err(error) => {
            site.blame("runs can't be taken up", &error);
            return None;
        }
    }
    watch::reopened(site, &host);
    for row in people::all(site, &host).iter().filter(|row| !row.status.is_over()) {
        people::follow(site, &host, &row.id);
    }
    Some(host)
}

fn open(site: &Arc<Site>, disk: &Disk) -> Result<Arc<Runtime>, ControlError> {
    let journal = Journal::simulated(disk)?;
    let clock: Arc<dyn Clock> = Arc::clone(&site.clock) as Arc<dyn Clock>;
    let agents = Agents::open(vec![site.agents.clone()], Arc::clone(&journal), Arc::clone(&clock))?;
    let parts = RuntimeParts {
        agents,
        models: Arc::new(Script(Arc::clone(site))) as Arc<dyn Model>,
        skills: Arc::new(Hands(Arc::clone(site))) as Arc<dyn Skills>,
        journal,
        clock,
        ids: Arc::new(DrawnIds(Arc::clone(site))),
        tracer: Arc::new(NullTracer),
    };
    let queue = QueueSettings { total: site.places, ageing: Duration::from_secs(5), ..QueueSettings::default() };
    let options = RuntimeOptions {
        queue,
        max_steps: 60,
        default_timeout: Duration::from_mins(1),
        max_timeout: Duration::from_mins(5),
        model_timeout: Duration::from_secs(10),
        ..RuntimeOptions::default()
    };
    Ok(Runtime::new(parts, options))
}

/// Runs and people, until the time of the process has come.
async fn go_on(site: &Arc<Site>, host: &Arc<Runtime>, disk: &Disk, fate: &Fate) {
    if let Some(after) = fate.fails_after.filter(|_| !fate.fails_early) {
        site.let_fail(disk, after);
    }
    people::order(site, host, fate.life);
    for _ in 0..PEOPLE {
        tokio::spawn(people::meddle(Arc::clone(site), Arc::clone(host)));
    }
    let end = Instant::now() + fate.lasts;
    while Instant::now() < end && !site.is_failing() {
        watch::places(site, host);
        sleep(LOOK).await;
    }
    if site.is_failing() {
        sleep(fate.lingers).await;
    }
}

/// What a process leaves; `None` where it closes its disk in order.
async fn leave(site: &Site, host: Option<Arc<Runtime>>, disk: &Disk, end: End) -> Option<Disk> {
    match (end, host) {
        (End::Stop, Some(host)) => {
            host.stop(DRAIN).await;
            None
        }
        // A process that can't begin ends by itself.
        (End::Stop, None) => None,
        (End::Kill, _) => Some(disk.after_power_cut(|| true)),
        (End::PowerCut, _) => {
            // Chance of its own: how many writes there are to lose is the engine's to say.
            let mut random = Seed(site.below(u64::MAX) | 1);
            Some(disk.after_power_cut(|| random.below(2) == 0))
        }
    }
}
