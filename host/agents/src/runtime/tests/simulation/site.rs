//! What outlives the processes of a host: chance, what people and models know, and what is
//! wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick_domain::run::RunId;
use bailiwick_journal::simulation::Disk;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::super::crash::Seed;
use super::super::world::Deeds;
use super::clock::WallClock;
use super::orders::{self, Order};
use super::script;
use crate::runtime::{ControlError, Runtime};

/// Faults of one seed that are told: the first one says most.
const MAX_FAULTS: usize = 12;

/// How long something may take, in milliseconds. Many are alike, so that much is due at
/// the same moment.
const WAITS: [u64; 12] = [0, 0, 0, 0, 1, 1, 5, 5, 50, 250, 1000, 4000];

pub(super) struct Site {
    pub(super) clock: Arc<WallClock>,
    pub(super) deeds: Arc<Deeds>,
    /// Where the files of agents are.
    pub(super) agents: PathBuf,
    /// Runs that are at work at once.
    pub(super) places: u32,
    /// The process that is there.
    host: Mutex<Option<Arc<Runtime>>>,
    /// Its disk, and after how many operations that is no more.
    disk: Mutex<Option<(Disk, u64)>>,
    book: Mutex<Book>,
    random: Mutex<Seed>,
    faults: Mutex<Vec<String>>,
    diary: Mutex<Vec<String>>,
}

/// What is known beside the journal.
#[derive(Default)]
pub(super) struct Book {
    pub(super) orders: Vec<Order>,
    /// What somebody was told, and no later process was asked for yet.
    pub(super) promises: Vec<Promise>,
    /// The events of each run as the last process found them.
    pub(super) known: BTreeMap<RunId, Vec<Vec<u8>>>,
    /// How often models were asked, by trace.
    pub(super) asked: BTreeMap<String, usize>,
    /// Names that were given.
    named: u32,
}

/// What must be in the log of a run because somebody was told so.
#[derive(Debug)]
pub(super) enum Promise {
    /// A person of this name had their way.
    Word(RunId, String),
    /// The bus told of something of this name at that time.
    Told(RunId, u64, &'static str),
    /// There are so many events.
    Upto(RunId, u64),
}

impl Site {
    pub(super) fn new(seed: u64, agents: &Path, lives: u64) -> Arc<Self> {
        let site = Self {
            clock: Arc::new(WallClock::new()),
            deeds: Arc::default(),
            agents: agents.to_owned(),
            places: 0,
            host: Mutex::default(),
            disk: Mutex::default(),
            book: Mutex::default(),
            // The generator stands still at zero.
            random: Mutex::new(Seed(seed | 1)),
            faults: Mutex::default(),
            diary: Mutex::default(),
        };
        let places = 1 + u32::try_from(site.below(5)).expect("a small number");
        let site = Self { places, ..site };
        let asks = site.below(2) == 0;
        *site.deeds.flow.lock().expect("no panic") = Some(script::flow(asks));
        let orders = orders::draw(&site, lives);
        site.book(|book| book.orders = orders);
        Arc::new(site)
    }

    /// A number below `end`, which follows from the seed and from all that was drawn before.
    pub(super) fn below(&self, end: u64) -> u64 {
        self.random.lock().expect("no panic").below(end)
    }

    /// Whether one of `of` chances comes true.
    pub(super) fn happens(&self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub(super) fn pick<T: Clone>(&self, from: &[T]) -> T {
        let place = self.below(from.len() as u64);
        from[usize::try_from(place).expect("a place in memory")].clone()
    }

    /// Takes some time, and some turns of the scheduler, so that what is due together goes
    /// in any order.
    pub(super) async fn linger(&self) {
        for _ in 0..self.below(4) {
            yield_now().await;
        }
        match self.pick(&WAITS) {
            0 => {}
            wait => sleep(Duration::from_millis(wait)).await,
        }
        for _ in 0..self.below(3) {
            yield_now().await;
        }
    }

    pub(super) async fn sleep_up_to(&self, wait: Duration) {
        let millis = u64::try_from(wait.as_millis()).expect("a short wait");
        sleep(Duration::from_millis(self.below(millis))).await;
    }

    /// A name that nobody else has.
    pub(super) fn name(&self) -> String {
        let number = self.book(|book| {
            book.named += 1;
            book.named
        });
        format!("p{number}")
    }

    pub(super) fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.book.lock().expect("no panic"))
    }

    pub(super) fn promise(&self, promise: Promise) {
        self.book(|book| book.promises.push(promise));
    }

    /// The host that is there now.
    pub(super) fn host(&self) -> Option<Arc<Runtime>> {
        self.host.lock().expect("no panic").clone()
    }

    pub(super) fn enter(&self, host: &Arc<Runtime>) {
        *self.host.lock().expect("no panic") = Some(Arc::clone(host));
    }

    pub(super) fn leave(&self) {
        *self.host.lock().expect("no panic") = None;
        *self.disk.lock().expect("no panic") = None;
    }

    /// Has the disk fail after so many operations more.
    pub(super) fn let_fail(&self, disk: &Disk, after: u64) {
        disk.fail_after(after);
        *self.disk.lock().expect("no panic") = Some((disk.clone(), disk.operations() + after));
    }

    /// Whether the disk takes nothing more.
    pub(super) fn is_failing(&self) -> bool {
        let disk = self.disk.lock().expect("no panic");
        disk.as_ref().is_some_and(|(disk, last)| disk.operations() >= *last)
    }

    /// Something is as it may not be.
    pub(super) fn fault(&self, fault: String) {
        let mut faults = self.faults.lock().expect("no panic");
        if faults.len() < MAX_FAULTS && !faults.contains(&fault) {
            faults.push(fault);
        }
    }

    /// Takes each breach of a law for a fault.
    pub(super) fn check(&self, breaches: impl IntoIterator<Item = String>) {
        breaches.into_iter().for_each(|breach| self.fault(breach));
    }

    /// Takes an error for a fault unless the disk is to blame.
    pub(super) fn blame(&self, what: &str, error: &ControlError) {
        if !(matches!(error, ControlError::Journal(_)) && self.is_failing()) {
            self.fault(format!("{what}: {error:?}"));
        }
    }

    /// Takes note of what happened, by which two stories are compared.
    pub(super) fn note(&self, line: String) {
        self.diary.lock().expect("no panic").push(line);
    }

    pub(super) fn faults(&self) -> Vec<String> {
        self.faults.lock().expect("no panic").clone()
    }

    pub(super) fn diary(&self) -> Vec<String> {
        self.diary.lock().expect("no panic").clone()
    }
}
