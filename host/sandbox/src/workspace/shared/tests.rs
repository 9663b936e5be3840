use std::time::SystemTime;

use bailiwick_domain::authority::{Access, GuestPath};
use bailiwick_domain::clock::Clock;
use bailiwick_domain::limits::LimitsPolicy;
use bailiwick_domain::permit::HttpAuthority;

use super::*;
use crate::capabilities::fs::{Addition, QuotaReached, Root};

struct HandClock(Mutex<SystemTime>);

impl Clock for HandClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().expect("unpoisoned")
    }

    fn instant(&self) -> std::time::Instant {
        std::time::Instant::now()
    }
}

struct Stage {
    _folder: tempfile::TempDir,
    clock: Arc<HandClock>,
    workspaces: Arc<Workspaces>,
}

impl Stage {
    fn new(retention: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(HandClock(Mutex::new(SystemTime::now())));
        let below = folder.path().join("workspaces");
        let workspaces = Arc::new(Workspaces::new(below, retention, Arc::clone(&clock) as Arc<dyn Clock>));
        Self { _folder: folder, clock, workspaces }
    }

    /// The same where there are at most so many, which hold at most so many bytes.
    fn limited(workspaces: usize, bytes: u64) -> Self {
        Self::new(Duration::ZERO).again(workspaces, bytes)
    }

    /// As the next host finds it.
    fn again(self, workspaces: usize, bytes: u64) -> Self {
        let Self { _folder: folder, clock, workspaces: before } = self;
        let hand = Arc::clone(&clock) as Arc<dyn Clock>;
        let mut now = Workspaces::new(before.folder.clone(), before.retention, hand);
        now.shared.ceiling = Arc::new(Ceiling::new(workspaces, bytes));
        Self { _folder: folder, clock, workspaces: Arc::new(now) }
    }

    async fn refused(&self, run: u8, agent: &str) -> OpenError {
        let opened = self.workspaces.open_or_create(&key_in(run, agent), &terms()).await;
        opened.map(drop).expect_err("there are as many as there may be")
    }

    fn pass(&self, seconds: u64) {
        *self.clock.0.lock().expect("unpoisoned") += Duration::from_secs(seconds);
    }

    async fn open(&self, agent: &str) -> Workspace {
        self.open_in(1, agent).await
    }

    async fn open_in(&self, run: u8, agent: &str) -> Workspace {
        self.workspaces.open_or_create(&key_in(run, agent), &terms()).await.expect("a workspace")
    }

    fn folder(&self) -> PathBuf {
        self.workspaces.of_run(&key("").run)
    }

    /// All that lies in the folder of all workspaces.
    fn count(&self) -> usize {
        fs::read_dir(&self.workspaces.folder).expect("a folder").count()
    }
}

fn key(agent: &str) -> WorkspaceKey {
    key_in(1, agent)
}

fn key_in(run: u8, agent: &str) -> WorkspaceKey {
    WorkspaceKey { run: RunId::from_bytes(&[run; 16]), task: 3, agent: agent.to_owned() }
}

fn terms() -> Terms {
    Terms {
        skill: "a/b".parse().expect("an id"),
        digest: Digest::of(b""),
        fs: vec![],
        http: HttpAuthority::default(),
        secrets: [].into(),
        workspace: None,
        state: None,
        config: [].into(),
        shell: vec![],
        skills: vec![],
        models: vec![],
        limits: LimitsPolicy::default().default,
    }
}

#[tokio::test]
async fn a_name_is_no_path_and_only_the_user_comes_in() {
    let stage = Stage::new(Duration::ZERO);
    for agent in ["ada", "../ada", "/ada", "", "ada\n", "a/../../b"] {
        let workspace = stage.open(agent).await;
        let own = workspace.folder();
        assert_eq!(own.parent(), Some(stage.folder().canonicalize().expect("there").as_path()), "{agent:?}");
        assert_eq!(fs::read_dir(own).expect("a folder").count(), 0, "{agent:?} finds nothing of others");
        for folder in own.ancestors().take(4) {
            let mode = fs::metadata(folder).expect("there").permissions().mode();
            assert!(mode & 0o777 == 0o700, "{folder:?}");
        }
        fs::write(own.join("file"), "x").expect("written");
    }
}

#[tokio::test]
async fn the_next_call_waits_and_finds_what_lies_there() {
    let stage = Stage::new(Duration::ZERO);
    let first = stage.open("ada").await;
    assert_eq!(first.held(), Addition::default());
    let waits = stage.open("ada");
    tokio::pin!(waits);
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut waits).await.is_err(), "one call at a time");
    drop(stage.open("bob").await);
    fs::write(first.folder().join("file"), "four").expect("written");
    drop(first);
    let second = waits.await;
    assert_eq!(second.held(), Addition { bytes: 4, files: 1 });
    drop(second);
    // A call that went away while it waited leaves the turn to others.
    let third = stage.open("ada").await;
    assert!(tokio::time::timeout(Duration::from_millis(50), stage.open("ada")).await.is_err());
    drop(third);
    drop(stage.open("ada").await);
    assert!(stage.workspaces.shared.turns_of(&key("").run).is_empty(), "nobody has one or waits for one");
}

#[tokio::test]
async fn it_goes_when_its_run_is_over_and_not_before() {
    let stage = Stage::new(Duration::ZERO);
    drop(stage.open("ada").await);
    stage.pass(3600);
    stage.workspaces.sweep();
    assert_eq!(stage.workspaces.runs(), [key("").run], "however long the run takes");
    stage.workspaces.end_run(&key("").run).await;
    assert!(!stage.folder().exists());
    assert_eq!(stage.count(), 1, "the folder of those of runs, which is empty");
    stage.workspaces.end_run(&key("").run).await;
    assert!(stage.workspaces.runs().is_empty());
}

#[tokio::test]
async fn it_is_kept_for_a_while_after_its_run_and_for_a_run_that_is_tried_again() {
    let stage = Stage::new(Duration::from_mins(1));
    fs::write(stage.open("ada").await.folder().join("file"), "x").expect("written");
    stage.workspaces.end_run(&key("").run).await;
    stage.pass(40);
    // Who says it again changes nothing.
    stage.workspaces.end_run(&key("").run).await;
    stage.workspaces.sweep();
    let again = stage.open("ada").await;
    assert_eq!(again.held(), Addition { bytes: 1, files: 1 });
    drop(again);
    stage.pass(3600);
    stage.workspaces.sweep();
    assert!(stage.folder().exists(), "the run is open again");
    stage.workspaces.end_run(&key("").run).await;
    stage.pass(59);
    stage.workspaces.sweep();
    assert!(stage.folder().exists());
    stage.pass(2);
    stage.workspaces.sweep();
    assert_eq!((stage.folder().exists(), stage.count()), (false, 1));
}

#[tokio::test]
async fn what_could_not_be_removed_is_removed_by_a_later_sweep() {
    let stage = Stage::new(Duration::from_mins(1));
    drop(stage.open("ada").await);
    // As a host leaves it that ends between the two steps.
    fs::rename(stage.folder(), stage.workspaces.folder.join(format!("{SCRATCH}x"))).expect("renamed");
    stage.pass(3);
    stage.workspaces.sweep();
    assert_eq!(stage.count(), 1);
}

#[test]
fn a_call_that_was_cut_off_makes_nothing_any_more() {
    let stage = Stage::new(Duration::ZERO);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    // As when the end of a run takes away what is there.
    let changing = stage.workspaces.shared.change();
    let cut_off = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(50), stage.open("ada")).await });
    assert!(cut_off.is_err(), "it waits for that");
    drop(changing);
    let turn = stage.workspaces.shared.turn(&Place::of(&key("ada"), &terms()));
    drop(runtime.block_on(turn.lock()));
    assert!(!stage.folder().exists());
    drop(runtime.block_on(stage.open("ada")));
    assert!(stage.folder().exists(), "the next call is none that was cut off");
}

#[tokio::test]
async fn there_are_as_many_as_there_may_be_and_none_goes_for_another() {
    // A quarter of them is two.
    let stage = Stage::limited(5, u64::MAX);
    let ada = stage.open("ada").await;
    drop(stage.open("bob").await);
    let error = stage.refused(1, "eve").await;
    assert!(matches!(error, OpenError::TooManyOfRun(2)), "{error}");
    assert_eq!(fs::read_dir(stage.folder()).expect("a folder").count(), 2, "nothing was made for eve");
    for run in 2..5 {
        drop(stage.open_in(run, "ada").await);
    }
    let error = stage.refused(5, "ada").await;
    assert!(matches!(error, OpenError::TooMany(5)), "{error}");
    assert_eq!(stage.workspaces.runs().len(), 4, "nothing was made for the fifth");
    drop(ada);
    for agent in ["ada", "bob"] {
        drop(stage.open(agent).await);
    }
    // What a host has left counts for the next one.
    let stage = stage.again(5, u64::MAX);
    drop(stage.open("bob").await);
    stage.refused(5, "ada").await;
    stage.workspaces.end_run(&key_in(4, "").run).await;
    let error = stage.refused(1, "eve").await;
    assert!(matches!(error, OpenError::TooManyOfRun(2)), "{error}");
    stage.workspaces.end_run(&key("").run).await;
    drop(stage.open("eve").await);
}

/// What a guest writes to, which has the quota of 80 bytes.
fn root(workspace: &Workspace) -> Root {
    let root = Root::new(&GuestPath::workspace(), Access::ReadWrite, Quota { max_bytes: 80, max_files: 10 });
    root.holding(workspace.held()).within(workspace.share())
}

const fn bytes(bytes: u64) -> Addition {
    Addition { bytes, files: 1 }
}

#[tokio::test]
async fn those_of_a_run_hold_as_many_bytes_as_they_may() {
    // A quarter of them is a hundred.
    let stage = Stage::limited(10, 400);
    let (ada, bob) = (stage.open("ada").await, stage.open("bob").await);
    let (of_ada, of_bob) = (root(&ada), root(&bob));
    assert_eq!(of_ada.charge(bytes(70)), Ok(()));
    assert_eq!(of_bob.charge(bytes(40)), Err(QuotaReached::Run(100)));
    assert_eq!(of_bob.left(), Addition { bytes: 30, files: 10 }, "what was refused took nothing");
    assert_eq!(root(&stage.open_in(2, "eve").await).left().bytes, 80, "another run has its own");
    of_ada.refund(bytes(10));
    assert_eq!(of_bob.charge(bytes(40)), Ok(()));
    assert_eq!(of_bob.charge(bytes(0)), Ok(()), "a file with nothing in it");
    // Of what it was charged for, so much is there at its end.
    fs::write(ada.folder().join("file"), [0; 50]).expect("written");
    ada.end().await;
    assert_eq!(of_bob.left().bytes, 10);
    drop((of_bob, bob));
    let stage = stage.again(10, 400);
    let eve = stage.open("eve").await;
    assert_eq!(root(&eve).left().bytes, 50, "what lies there since the host before");
    drop(eve);
    stage.workspaces.end_run(&key("").run).await;
    assert_eq!(root(&stage.open("ada").await).left().bytes, 80, "the quota of its own");
}

#[tokio::test]
async fn all_together_hold_as_many_bytes_as_they_may() {
    // A quarter of them is thirty.
    let stage = Stage::limited(10, 120);
    for run in 1..5 {
        let workspace = stage.open_in(run, "ada").await;
        fs::write(workspace.folder().join("file"), [0; 29]).expect("written");
        drop(workspace);
        // What was written past the count is found when it is opened.
        drop(stage.open_in(run, "ada").await);
    }
    let late = root(&stage.open_in(5, "ada").await);
    assert_eq!(late.left().bytes, 4);
    assert_eq!((late.charge(bytes(5)), late.charge(bytes(4))), (Err(QuotaReached::Host(120)), Ok(())));
}

#[tokio::test]
async fn what_a_call_removes_is_room_for_others() {
    let stage = Stage::limited(10, 400);
    let (ada, bob) = (stage.open("ada").await, stage.open("bob").await);
    let of_bob = root(&bob);
    fs::write(ada.folder().join("file"), [0; 70]).expect("written");
    assert_eq!(root(&ada).charge(bytes(70)), Ok(()));
    ada.end().await;
    assert_eq!(of_bob.left().bytes, 30);
    let ada = stage.open("ada").await;
    // Nothing is charged for that.
    fs::remove_file(ada.folder().join("file")).expect("removed");
    root(&ada).is_first(true);
    ada.end().await;
    assert_eq!(of_bob.left().bytes, 80);
}

#[tokio::test]
async fn whoever_is_left_no_room_takes_none_of_others() {
    let stage = Stage::limited(10, 400);
    let (ada, bob) = (stage.open("ada").await, stage.open("bob").await);
    let (of_ada, of_bob) = (root(&ada), root(&bob));
    assert_eq!(of_ada.charge(bytes(30)), Ok(()));
    of_ada.exhaust();
    assert_eq!((of_ada.left(), of_bob.left().bytes), (Addition::default(), 70));
    assert_eq!(of_ada.charge(bytes(1)), Err(QuotaReached::Bytes(80)));
}
