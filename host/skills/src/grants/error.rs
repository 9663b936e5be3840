//! Why grants can't be read or given.

use std::io;
use std::path::PathBuf;

use bailiwick_domain::authority::{Access, GuestPath};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_journal::JournalError;

use crate::near::quoted;

/// Why grants can't be read or given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The file can't be read.
    #[error("can't read the grants in `{path}`: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is larger than any that was written by this host.
    #[error("`{path}` has more than {max} bytes, the most that a file of grants may have", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        max: u64,
    },
    /// The file says something that can't be understood.
    #[error("{path}:{line}:{column}: {message}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// The key, what was found, and what was expected.
        message: String,
    },
    /// The file is of another release.
    #[error("`{path}` has `version = {found}`, expected {known}: use the release that wrote it", path = path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// What stands in it.
        found: i64,
        /// What is known.
        known: i64,
    },
    /// The journal does not do as asked.
    #[error("the grants can't be kept or read")]
    Journal(#[from] JournalError),
    /// A document of the journal is not one that this release knows.
    #[error("the grant of `{key}` in the journal can't be read: {problem}")]
    Document {
        /// Skill and digest.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such grant.
    #[error("nothing is granted to {0}")]
    NoSuchGrant(String),
    /// There are grants for several digests, and none was named.
    #[error("`{skill}` has grants for several digests: name one of {}", quoted(digests.iter().map(ToString::to_string), ", "))]
    SeveralGrants {
        /// The skill.
        skill: SkillId,
        /// The digests.
        digests: Vec<Digest>,
    },
    /// Something is to be taken away that was not given.
    #[error("the grant of `{skill}` has no {what} to be taken away")]
    NothingToNarrow {
        /// The skill.
        skill: SkillId,
        /// Such as `folder /work`.
        what: String,
    },
    /// The skill has other bytes than those that were looked at.
    #[error("`{skill}` now has the bytes {now}, and {expected} were looked at: look at the difference again")]
    OtherBytes {
        /// The skill.
        skill: SkillId,
        /// The bytes that were looked at.
        expected: Digest,
        /// The bytes that it has.
        now: Digest,
    },
    /// What new bytes were to be given was changed by somebody else meanwhile.
    #[error("the grant of `{0}` that new bytes were to be given was changed meanwhile: look at the difference again")]
    Changed(SkillId),
    /// The grant is wider than the manifest.
    #[error("the grant is wider than what `{skill}` asks for: {wider}")]
    Wider {
        /// The skill.
        skill: SkillId,
        /// Which permission its manifest lacks.
        wider: Wider,
    },
    /// A folder can't be granted.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A risk that the skill doesn't have.
    #[error("`{skill}` has no risk `{tag}` to be accepted; it has {}", if known.is_empty() { "none".to_owned() } else { quoted(known, ", ") })]
    UnknownRisk {
        /// The skill.
        skill: SkillId,
        /// The tag.
        tag: String,
        /// The tags that it has.
        known: Vec<String>,
    },
    /// Nobody's name.
    #[error("a grant needs a giver: expected the name of who gives it, found nothing")]
    NoGiver,
    /// A reason that people would not read in a list.
    #[error("the reason of the grant of `{skill}` has {found} characters: expected at most {max}")]
    LongReason {
        /// The skill.
        skill: SkillId,
        /// Characters found.
        found: usize,
        /// Characters allowed.
        max: usize,
    },
    /// A grant that would never hold.
    #[error("the grant would be void from the start: its end {0} is past")]
    AlreadyExpired(String),
    /// A grant that the file can't hold as it was meant.
    #[error("the grant can't be written down: {0}")]
    Inexpressible(String),
    /// A skill that makes no calls.
    #[error("`{0}` is a prompt: it runs nothing, so there is nothing to grant")]
    Prompt(SkillId),
}

/// A permission that a grant gives and the manifest doesn't ask for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wider {
    /// A folder that isn't asked for.
    #[error("no `[[permissions.fs]]` of the manifest has a root at or above `{root}`{}", asked(roots))]
    Root {
        /// The folder as the guest would see it.
        root: GuestPath,
        /// The roots that are asked for.
        roots: Vec<String>,
    },
    /// More access than is asked for.
    #[error("`[[permissions.fs]]` of the manifest asks for `{asked}` access below `{root}`, not for `{granted}`")]
    Access {
        /// The root that is asked for.
        root: GuestPath,
        /// In the manifest.
        asked: Access,
        /// In the grant.
        granted: Access,
    },
    /// Requests that aren't asked for.
    #[error("no `[[permissions.http]]` of the manifest covers {request}{}", asked(rules))]
    Http {
        /// One request that the grant allows, such as `POST https://example.com:443/v1`.
        request: String,
        /// The hosts that are asked for.
        rules: Vec<String>,
    },
    /// State that isn't asked for.
    #[error("the manifest doesn't have `state = true` in `[permissions]`")]
    State,
    /// A secret that isn't asked for.
    #[error("`secrets` in `[permissions]` of the manifest doesn't name `{name}`{}", asked(names))]
    Secret {
        /// The secret's name.
        name: String,
        /// The secrets that are asked for.
        names: Vec<String>,
    },
    /// A command that isn't asked for.
    #[error("no `[[permissions.shell]]` of the manifest asks for the command `{command}`{}", asked(commands))]
    Command {
        /// As it would be granted.
        command: String,
        /// The commands that are asked for.
        commands: Vec<String>,
    },
    /// A skill that isn't asked for.
    #[error("no `[[permissions.skills]]` of the manifest asks to call `{skill}`{}", asked(skills))]
    Skill {
        /// The skill.
        skill: String,
        /// The skills that are asked for.
        skills: Vec<String>,
    },
    /// A model that isn't asked for.
    #[error("`models` in `[permissions]` of the manifest doesn't name `{model}`{}", asked(models))]
    Model {
        /// The model.
        model: String,
        /// The models that are asked for.
        models: Vec<String>,
    },
    /// A workspace that isn't asked for.
    #[error("the manifest doesn't have `workspace = true` in `[permissions]`")]
    Workspace,
    /// A configuration value that isn't asked for.
    #[error("`config` in `[permissions]` of the manifest doesn't name `{key}`{}", asked(keys))]
    Config {
        /// The key.
        key: String,
        /// The keys that are asked for.
        keys: Vec<String>,
    },
}

/// Why a folder of the host can't be granted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// There is no such folder.
    #[error("the host folder `{path}` for `{root}` can't be found: {error}", path = path.display())]
    Missing {
        /// As the guest would see it.
        root: GuestPath,
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Something else than a folder.
    #[error("`{path}` for `{root}` is not a folder", path = path.display())]
    NotAFolder {
        /// As the guest would see it.
        root: GuestPath,
        /// The path.
        path: PathBuf,
    },
    /// The path leads elsewhere than when the grant was given.
    #[error(
        "`{path}` for `{root}` now leads to `{now}`: give the grant again if that is meant",
        path = path.display(), now = now.display()
    )]
    Moved {
        /// As the guest would see it.
        root: GuestPath,
        /// The path in the grant.
        path: PathBuf,
        /// Where it leads.
        now: PathBuf,
    },
    /// Two roots of the guest of which one lies in the other.
    #[error("the roots `{first}` and `{second}` overlap: expected roots apart from each other")]
    GuestOverlap {
        /// The one.
        first: GuestPath,
        /// The other.
        second: GuestPath,
    },
    /// A folder that may be written to, in one that may only be read, or the other way round.
    #[error(
        "the host folders `{read}` (read) and `{written}` (read-write) overlap: through the writable one a guest \
         could change what it may only read",
        read = read.display(), written = written.display()
    )]
    HostOverlap {
        /// The folder that may be read.
        read: PathBuf,
        /// The folder that may be written to.
        written: PathBuf,
    },
    /// A writable folder in which the host itself reads what it trusts.
    #[error(
        "the host folder `{path}` may not be writable: it overlaps `{place}`, from which this host reads what it trusts",
        path = path.display(), place = place.display()
    )]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// The folder or file of the host.
        place: PathBuf,
    },
    /// A folder in which the host keeps what no guest may see.
    #[error(
        "the host folder `{path}` may not be granted: it overlaps `{place}`, where this host keeps what no guest may see",
        path = path.display(), place = place.display()
    )]
    Hidden {
        /// The folder.
        path: PathBuf,
        /// The folder or file of the host.
        place: PathBuf,
    },
    /// A folder in which the workspaces of calls are.
    #[error("the host folder `{path}` is one for workspaces: a guest that reached it could read or change what other calls keep there", path = path.display())]
    HoldsWorkspaces {
        /// The folder.
        path: PathBuf,
    },
    /// The folder in which the grants are.
    #[error("the host folder `{path}` holds the grants of this host: a guest that reached them could read or change what others may do", path = path.display())]
    HoldsGrants {
        /// The folder.
        path: PathBuf,
    },
}

fn asked(what: &[String]) -> String {
    if what.is_empty() { "; it asks for none".to_owned() } else { format!("; it asks for {}", quoted(what, ", ")) }
}
