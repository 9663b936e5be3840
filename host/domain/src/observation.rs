//! What an observed call did, exactly: what the smallest grant is made from.
//!
//! A call is observed only where its permit says so. It then works on a state of
//! its own, and the sandbox notes each thing that it touches, where an ordinary
//! call leaves a summary.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::authority::{GuestPath, Scheme};
use crate::redact::Redactor;
use crate::state::StateStore;

/// Different things that are kept of one observation. A skill that touches more is
/// better granted a folder or a host as a whole, and the observation says so.
pub const MAX_TOUCHES: usize = 20_000;

/// Bytes that are kept of each text that a guest chose: what tells the most of it. With
/// [`MAX_TOUCHES`] it bounds what a guest can make the host remember.
pub const MAX_TEXT: usize = 256;

/// Stands at the end of a text that was longer than it is kept.
pub const CUT: char = '…';

/// One thing that a guest did with what it was let.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    /// A file or folder, as the guest named it: `/work/docs/../notes.md`.
    Path {
        /// The root that it lies below.
        root: GuestPath,
        /// The whole path.
        path: String,
        /// Whether it was changed, and not only looked at.
        changed: bool,
    },
    /// A request.
    Request {
        /// `GET`.
        method: String,
        /// How.
        scheme: Scheme,
        /// A name or an address, without brackets.
        host: String,
        /// Named in the URL or the scheme's own.
        port: u16,
        /// As sent, without the query.
        path: String,
        /// Where the host was found, if that is no public address.
        address: Option<IpAddr>,
    },
    /// A secret that was put into a request.
    Secret {
        /// Its name.
        name: String,
        /// Where it went.
        host: String,
        /// On which port.
        port: u16,
        /// How.
        scheme: Scheme,
    },
    /// The skill's state.
    State,
    /// A setting that was read, be it there or not.
    Setting(String),
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, changed: false, .. } => write!(f, "read {path}"),
            Self::Path { path, changed: true, .. } => write!(f, "changed {path}"),
            Self::Request { method, scheme, host, port, path, address } => {
                write!(f, "{method} {scheme}://{}:{port}{path}", bracketed(host))?;
                address.map_or(Ok(()), |address| write!(f, " at {address}"))
            }
            Self::Secret { name, host, port, .. } => write!(f, "secret {name} for {}:{port}", bracketed(host)),
            Self::State => f.write_str("state"),
            Self::Setting(key) => write!(f, "setting {key}"),
        }
    }
}

/// A host as it stands in a URL.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// What one call added below a writable root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes.
    pub bytes: u64,
    /// Files, folders and links.
    pub files: u64,
}

/// What several observed calls share: a state that is nobody else's, and a memory
/// of what they touched.
pub struct Observation {
    state: Arc<dyn StateStore>,
    seen: Mutex<Seen>,
}

/// What was noted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Each thing once.
    pub touches: BTreeSet<Touch>,
    /// Whether there was more than is kept.
    pub more: bool,
    /// The most that one call added below each root.
    pub written: BTreeMap<GuestPath, Written>,
}

impl Observation {
    /// An observation of calls whose state is in `state`.
    pub fn new(state: Arc<dyn StateStore>) -> Self {
        Self { state, seen: Mutex::default() }
    }

    /// The state of these calls, in the place of the skill's own.
    pub const fn state(&self) -> &Arc<dyn StateStore> {
        &self.state
    }

    /// Notes one thing, with as much of its texts as is kept.
    pub fn touch(&self, mut touch: Touch) {
        touch.texts().for_each(cut);
        let mut seen = self.lock();
        if seen.touches.len() < MAX_TOUCHES {
            seen.touches.insert(touch);
        } else if !seen.touches.contains(&touch) {
            seen.more = true;
        }
    }

    /// Notes what a call that ended has added below `root`.
    pub fn wrote(&self, root: &GuestPath, written: Written) {
        let mut seen = self.lock();
        let most = seen.written.entry(root.clone()).or_default();
        most.bytes = most.bytes.max(written.bytes);
        most.files = most.files.max(written.files);
    }

    /// Takes every secret out of what was noted.
    pub fn clean(&self, redactor: &Redactor) {
        let mut seen = self.lock();
        let touches = std::mem::take(&mut seen.touches);
        seen.touches = touches.into_iter().map(|touch| cleaned(touch, redactor)).collect();
    }

    /// What was noted so far.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").field("seen", &*self.lock()).finish_non_exhaustive()
    }
}

impl Touch {
    /// Every text that a guest chose.
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let texts = match self {
            Self::Path { path, .. } => [Some(path), None, None],
            Self::Request { method, host, path, .. } => [Some(method), Some(host), Some(path)],
            Self::Secret { host, .. } => [Some(host), None, None],
            Self::Setting(key) => [Some(key), None, None],
            Self::State => [None, None, None],
        };
        texts.into_iter().flatten()
    }
}

/// Cuts a text that is too long. What is cut off gives its memory back.
fn cut(text: &mut String) {
    if text.len() > MAX_TEXT {
        let end = text.floor_char_boundary(MAX_TEXT);
        *text = format!("{}{CUT}", &text[..end]);
    }
}

/// The same without secrets, wherever a guest chose the text.
fn cleaned(mut touch: Touch, redactor: &Redactor) -> Touch {
    touch.texts().for_each(|text| redactor.clean_cut(text));
    touch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::StateQuota;
    use crate::skill_id::SkillId;
    use crate::state::{Numbers, StateError};

    /// A state that nobody uses here.
    struct Nothing;

    impl StateStore for Nothing {
        fn get(&self, _: &SkillId, _: &str) -> Result<Option<Vec<u8>>, StateError> {
            Ok(None)
        }

        fn set(&self, _: &SkillId, _: &str, _: &[u8], _: StateQuota) -> Result<(), StateError> {
            Ok(())
        }

        fn delete(&self, _: &SkillId, _: &str) -> Result<(), StateError> {
            Ok(())
        }

        fn keys(&self, _: &SkillId, _: Option<&str>, _: usize) -> Result<Vec<String>, StateError> {
            Ok(Vec::new())
        }

        fn increment(&self, _: &SkillId, _: &str, delta: i128, _: Numbers, _: StateQuota) -> Result<i128, StateError> {
            Ok(delta)
        }

        fn compare_and_swap(
            &self,
            _: &SkillId,
            _: &str,
            _: Option<&[u8]>,
            _: &[u8],
            _: StateQuota,
        ) -> Result<bool, StateError> {
            Ok(false)
        }
    }

    fn observation() -> Observation {
        Observation::new(Arc::new(Nothing))
    }

    #[test]
    fn what_is_too_much_is_not_kept_and_said() {
        let observation = observation();
        for number in 0..MAX_TOUCHES {
            observation.touch(Touch::Setting(number.to_string()));
        }
        observation.touch(Touch::Setting("0".to_owned()));
        assert!(!observation.seen().more, "it was there before");
        observation.touch(Touch::State);
        let seen = observation.seen();
        assert!(seen.more && seen.touches.len() == MAX_TOUCHES && !seen.touches.contains(&Touch::State));
    }

    #[test]
    fn no_text_fills_the_memory() {
        let observation = observation();
        let long = || "ä".repeat(1 << 20);
        let (scheme, port, address) = (Scheme::Https, 443, None);
        observation.touch(Touch::Path { root: GuestPath::workspace(), path: long(), changed: true });
        observation.touch(Touch::Request { method: long(), scheme, host: long(), port, path: long(), address });
        observation.touch(Touch::Secret { name: "pw".to_owned(), host: long(), port, scheme });
        observation.touch(Touch::Setting(long()));
        let kept = format!("{}…", "ä".repeat(MAX_TEXT / 2));
        let mut texts = 0;
        for mut touch in observation.seen().touches {
            for text in touch.texts() {
                assert!(*text == kept && text.capacity() <= 2 * MAX_TEXT, "{} bytes", text.capacity());
                texts += 1;
            }
        }
        assert_eq!(texts, 6);
        observation.touch(Touch::Setting("x".repeat(MAX_TEXT)));
        assert!(observation.seen().touches.contains(&Touch::Setting("x".repeat(MAX_TEXT))), "it is short enough");
    }

    #[test]
    fn the_most_of_all_calls_is_what_counts() {
        let (observation, root) = (observation(), GuestPath::workspace());
        observation.wrote(&root, Written { bytes: 10, files: 1 });
        observation.wrote(&root, Written { bytes: 3, files: 2 });
        assert_eq!(observation.seen().written[&root], Written { bytes: 10, files: 2 });
    }

    #[test]
    fn no_secret_stays_in_it() {
        const SECRET: &str = "hunter2hunter2";
        let observation = observation();
        let text = || SECRET.to_owned();
        let (scheme, port, address) = (Scheme::Https, 443, None);
        observation.touch(Touch::Path { root: GuestPath::workspace(), path: text(), changed: true });
        observation.touch(Touch::Request { method: text(), scheme, host: text(), port, path: text(), address });
        observation.touch(Touch::Secret { name: "pw".to_owned(), host: text(), port, scheme });
        observation.touch(Touch::Setting(text()));
        observation.clean(&Redactor::new([("pw", SECRET.as_bytes())].into_iter()).expect("one"));
        assert!(!format!("{observation:?}").contains(SECRET), "{observation:?}");
        assert_eq!(observation.seen().touches.len(), 4);
    }
}
