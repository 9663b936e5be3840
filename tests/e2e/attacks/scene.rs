//! One hostile guest, and an honest one beside it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::component::{ComponentError, Inspection};
use bailiwick_domain::permit::Terms;
use bailiwick_domain::sandbox::Outcome;
use serde_json::{Value, json};

use crate::sandbox::lab::{Lab, success, within};

/// Calls that the honest skill makes at the least.
const HONEST_CALLS: u32 = 3;

/// Time of a call that is not about time, on a machine that does much else.
const AMPLE: Duration = Duration::from_secs(30);

/// Time of a call that has to be ended.
pub(super) const SHORT: Duration = Duration::from_millis(400);

/// How long after its deadline a call may still be there, on a machine that does much else.
pub(super) const LATE: Duration = Duration::from_secs(5);

/// A guest, what it may do, and who must not notice.
pub(super) struct Scene {
    pub(super) lab: Lab,
    pub(super) guest: Arc<Inspection>,
    pub(super) terms: Terms,
    honest: Arc<Inspection>,
    answered: Cell<u32>,
}

impl Scene {
    /// The cases of one kind, as a guest that may do nothing.
    pub(super) fn of(kind: &str) -> Self {
        Self::with(|lab| lab.guest(&format!("attacks-{kind}")))
    }

    /// A case that is written in WAT.
    pub(super) fn of_wat(case: &str) -> Self {
        Self::with(|lab| load(lab, case).unwrap())
    }

    fn with(guest: impl FnOnce(&Lab) -> Arc<Inspection>) -> Self {
        let lab = Lab::new();
        let (guest, honest) = (guest(&lab), lab.skill("calculate"));
        let terms = within(&guest, AMPLE);
        Self { lab, guest, terms, honest, answered: Cell::default() }
    }

    /// The same with another deadline.
    pub(super) fn for_a(mut self, deadline: Duration) -> Self {
        self.terms.limits.deadline = deadline;
        self
    }

    /// Tries one case.
    pub(super) async fn attack(&self, case: &str, target: &str) -> Outcome {
        self.call(&json!({ "name": case, "target": target })).await
    }

    /// Calls the guest while the honest skill goes on.
    pub(super) async fn call(&self, arguments: &Value) -> Outcome {
        let over = Cell::new(false);
        let attack = async {
            let outcome = self.lab.call(&self.terms, &self.guest, "attack", arguments).await;
            over.set(true);
            outcome
        };
        tokio::join!(attack, self.behave_until(&over)).0
    }

    /// Calls of the honest skill that were answered before the attack was over.
    pub(super) const fn answered_meanwhile(&self) -> u32 {
        self.answered.get()
    }

    async fn behave_until(&self, over: &Cell<bool>) {
        let terms = within(&self.honest, AMPLE);
        let sum = json!({ "expression": "20 + 22.5" });
        let mut calls = 0;
        while calls < HONEST_CALLS || !over.get() {
            let answer = success(self.lab.call(&terms, &self.honest, "evaluate", &sum).await);
            assert!(answer.to_string().contains("42.5"), "{answer}");
            calls += 1;
            if !over.get() {
                self.answered.set(calls);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Loads a case that is written in WAT.
pub(super) fn load(lab: &Lab, case: &str) -> Result<Arc<Inspection>, ComponentError> {
    lab.load(&wat::parse_file(guests().join(format!("wat/{case}.wat"))).unwrap())
}

/// The sources of the cases.
pub(super) fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/attacks")
}

/// Bytes that the process took more than before, at the most, while `work` was done.
pub(super) async fn peak_of<T>(work: impl Future<Output = T>) -> (T, u64) {
    // Starts the account of the peak anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");
    let done = work.await;
    (done, status("VmHWM").saturating_sub(before))
}

fn status(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let kibibytes: u64 = line.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    kibibytes << 10
}
