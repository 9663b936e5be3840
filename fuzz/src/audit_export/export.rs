//! A whole export to begin with.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_journal::Journal;
use bailiwick_skills::audit::{Audit, PublicKey};
use bailiwick_skills::grants::{GrantStore, GuardedPlaces};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// The seed of the key that signs the export: it guards nothing, and an input means
/// the same in every run.
const SEED: [u8; 32] = [7; 32];

/// The kinds of records in the export.
pub(super) const KINDS: [&str; 3] = ["call", "grant-given", "grant-revoked"];

/// A record as the journal takes it, with the awkward parts of text in it.
const CALL: &str =
    r#"{"kind":"call","skill":"demo/p","note":"\"seq\":9,\"prev\" \\ \u0000 é","usage":{"wall_us":7},"denials":[]}"#;

const GRANTS: &str = r#"
version = 1
[[grant]]
skill = "demo/p"
digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
giver = "ada"
given_at = 2026-11-20T11:00:00Z
[[grant.http]]
host = "*.example.com"
methods = ["GET"]
"#;

/// A line of the export, with its end.
pub(super) struct Line {
    pub(super) text: String,
    /// Whether it is a checkpoint amid the records.
    pub(super) may_be_missing: bool,
}

pub(super) struct Whole {
    pub(super) text: String,
    pub(super) lines: Vec<Line>,
    pub(super) key: PublicKey,
}

/// Time that stands still, so that the export is the same in every run.
struct Still(Instant);

impl Clock for Still {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(498_659)
    }

    fn instant(&self) -> Instant {
        self.0
    }
}

/// Grants, calls and checkpoints in a journal in memory, and its export.
pub(super) fn make() -> Whole {
    let folder = tempfile::tempdir().expect("a folder for the key");
    let path = folder.path().join("audit.key");
    write_key(&path);
    let clock: Arc<dyn Clock> = Arc::new(Still(Instant::now()));
    let journal = Journal::in_memory().expect("a journal");
    let audit = Audit::open(Arc::clone(&journal), &path, Arc::clone(&clock)).expect("the key is one");
    let grants =
        GrantStore::open(Arc::clone(&journal), folder.path(), GuardedPlaces::default(), clock).expect("no grants");
    let given = grants.import(Path::new("grants.toml"), GRANTS, "ada").expect("a grant");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for checkpoint in [true, true, false] {
            journal.append(CALL.to_owned()).await.expect("a record");
            if checkpoint {
                audit.checkpoint().await.expect("a checkpoint").expect("something is new");
            }
        }
    });
    grants.revoke(&given[0].skill, None, "bob").expect("it was given");
    let text: String = audit.export().expect("an export").map(|piece| piece.expect("a piece")).collect();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let line = |(index, line): (usize, &&str)| Line {
        text: (*line).to_owned(),
        may_be_missing: line.starts_with("{\"checkpoint\"") && index + 1 < lines.len(),
    };
    let lines = lines.iter().enumerate().map(line).collect();
    Whole { text, lines, key: audit.public_key() }
}

/// The key as a host keeps it: PKCS#8, version 2, with its public half.
fn write_key(path: &Path) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("any 32 bytes are a seed");
    let head: [u8; 16] = [0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let document = [head.as_slice(), &SEED, &[0x81, 0x21, 0], pair.public_key().as_ref()].concat();
    fs::write(path, document).expect("writable");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a mode");
}
