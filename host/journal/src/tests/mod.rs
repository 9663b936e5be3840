mod audit;
mod calls;
mod crash;
mod group;
mod open;
mod quick;
mod rounds;
mod runs;
mod state;
mod wal;

use std::sync::Arc;

use bailiwick_domain::skill_id::SkillId;

use crate::Journal;

fn scratch() -> (tempfile::TempDir, Arc<Journal>) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let journal = Journal::open(&folder.path().join("journal.redb")).expect("a new journal");
    (folder, journal)
}

fn reopen(folder: &tempfile::TempDir, journal: Arc<Journal>) -> Arc<Journal> {
    drop(journal);
    Journal::open(&folder.path().join("journal.redb")).expect("the journal opens again")
}

fn id(text: &str) -> SkillId {
    text.parse().expect("a skill id")
}
