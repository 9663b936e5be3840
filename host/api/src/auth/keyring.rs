//! The keys in memory, as the key file has them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::Principal;

use super::file::{KeyFile, KeyFileError, StoredKey};
use super::scope::Scope;
use super::token::Token;
use crate::storage::{self, Stamp};

/// How often the key file is looked at. A revoked key is refused within this
/// time and that of one read, which together stay below a second.
const FOLLOW_EVERY: Duration = Duration::from_millis(400);

/// The keys of the host. Asking it costs a hash and no look at the file.
pub struct Keyring {
    file: KeyFile,
    clock: Arc<dyn Clock>,
    image: RwLock<Arc<Image>>,
}

/// What the file said when it was last read.
enum Image {
    /// The keys by id.
    Keys(HashMap<String, Entry>),
    /// It can't be used, so nobody gets in until it can: an operator who took a
    /// key out by hand, and slipped, must not believe that it is out.
    Unusable,
}

struct Entry {
    digest: Digest,
    identity: Arc<Identity>,
    expires_at: Option<SystemTime>,
}

/// Somebody who showed a good key, or needs none.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) principal: Principal,
    pub(crate) scopes: BTreeSet<Scope>,
}

/// Why a key does not let its bearer in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadKey {
    /// Not the form of a token, no such key, or not its secret. Which of them is nobody's business.
    Unknown,
    /// It was good once.
    Expired,
    /// The key file can't be used now.
    Unavailable,
}

impl Keyring {
    /// Reads `file` and follows its changes until the keyring is dropped. A
    /// file that is not there holds no keys; one that can't be used is an error.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn open(file: KeyFile, clock: Arc<dyn Clock>) -> Result<Arc<Self>, KeyFileError> {
        // The stamp is taken first: a change between the two is then seen as one.
        let stamp = storage::stamp(file.path()).ok().flatten();
        let image = RwLock::new(Arc::new(Image::of(file.read()?)));
        let keyring = Arc::new(Self { file, clock, image });
        tokio::spawn(follow(Arc::downgrade(&keyring), stamp));
        Ok(keyring)
    }

    /// Whether the key file could be used when it was last read.
    pub(crate) fn is_usable(&self) -> bool {
        !matches!(*self.image(), Image::Unusable)
    }

    /// Who shows this token.
    pub(crate) fn identify(&self, text: &str) -> Result<Arc<Identity>, BadKey> {
        let image = self.image();
        let Image::Keys(keys) = &*image else {
            return Err(BadKey::Unavailable);
        };
        let token = Token::parse(text).ok_or(BadKey::Unknown)?;
        let entry = keys.get(token.id()).filter(|entry| token.has_digest(&entry.digest)).ok_or(BadKey::Unknown)?;
        match entry.expires_at {
            Some(end) if self.clock.now() >= end => Err(BadKey::Expired),
            _ => Ok(Arc::clone(&entry.identity)),
        }
    }

    fn image(&self) -> Arc<Image> {
        Arc::clone(&self.image.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file where its stamp has changed, and says what the stamp is now. Blocks.
    fn refresh(&self, before: Stamp) -> Stamp {
        let stamp = match storage::stamp(self.file.path()) {
            Ok(stamp) if stamp == before && self.is_usable() => return stamp,
            Ok(stamp) => stamp,
            // The read below fails for the same reason, and says so.
            Err(_) => None,
        };
        let image = match self.file.read() {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), file = %self.file.path().display(), "read the API keys anew");
                Image::of(keys)
            }
            Err(error) => {
                if self.is_usable() {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the API keys can't be used; no key is accepted until they can");
                }
                Image::Unusable
            }
        };
        *self.image.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(image);
        stamp
    }
}

impl Image {
    fn of(keys: Vec<StoredKey>) -> Self {
        let entry = |key: StoredKey| {
            let name = Arc::from(format!("key:{}", key.info.name));
            let identity = Arc::new(Identity { principal: Principal { name }, scopes: key.info.scopes });
            (key.info.id, Entry { digest: key.digest, identity, expires_at: key.info.expires_at })
        };
        Self::Keys(keys.into_iter().map(entry).collect())
    }
}

async fn follow(keyring: Weak<Keyring>, mut stamp: Stamp) {
    let mut ticks = tokio::time::interval(FOLLOW_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(keyring) = keyring.upgrade() else { return };
        // A file system that hangs must not hold up a thread that serves requests.
        match tokio::task::spawn_blocking(move || keyring.refresh(stamp)).await {
            Ok(now) => stamp = now,
            // The runtime is going down.
            Err(_) => return,
        }
    }
}
