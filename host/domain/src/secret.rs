//! Secrets: their bytes, held so that nothing prints them, and where they come from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use zeroize::Zeroizing;

use crate::redact::{Redactor, TooManySecrets};

/// Bytes of the shortest secret. A shorter one would be found in texts that have
/// nothing to do with it, and guessed besides.
pub const MIN_SECRET: usize = 8;

/// Bytes of the longest secret: servers refuse a header that is longer.
pub const MAX_SECRET: usize = 8 << 10;

/// Secrets of one host: some for each service that its skills use.
pub const MAX_SECRETS: usize = 256;

/// The bytes of a secret. Nothing prints them, and they are overwritten when they
/// are no longer held.
pub struct SecretValue(Zeroizing<Vec<u8>>);

/// The bytes can't be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Too few of them.
    #[error("has {0} bytes, expected at least {MIN_SECRET}: a shorter one can't be told from other text")]
    TooShort(usize),
    /// Too many of them.
    #[error("has more than {MAX_SECRET} bytes, the most that a header can carry")]
    TooLong,
}

impl SecretValue {
    /// A secret with these bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, InvalidSecret> {
        let bytes = Zeroizing::new(bytes);
        match bytes.len() {
            ..MIN_SECRET => Err(InvalidSecret::TooShort(bytes.len())),
            MIN_SECRET..=MAX_SECRET => Ok(Self(bytes)),
            _ => Err(InvalidSecret::TooLong),
        }
    }

    /// The bytes, for the one place that sends them and the one that looks for them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The secrets of a host at one moment, and what finds them in texts.
#[derive(Debug, Default)]
pub struct SecretSet {
    values: BTreeMap<String, Arc<SecretValue>>,
    redactor: Arc<Redactor>,
}

impl SecretSet {
    /// The secrets `values` by name. Those in `former` are no longer sent, and still
    /// kept out of texts: servers go on to accept them for a while.
    pub fn new(
        values: BTreeMap<String, Arc<SecretValue>>,
        former: &[(String, Arc<SecretValue>)],
    ) -> Result<Self, TooManySecrets> {
        let all = values.iter().chain(former.iter().map(|(name, value)| (name, value)));
        let redactor = Arc::new(Redactor::new(all.map(|(name, value)| (name.as_str(), value.expose())))?);
        Ok(Self { values, redactor })
    }

    /// The secret of this name, if the host has it and can read it.
    pub fn get(&self, name: &str) -> Option<&SecretValue> {
        self.values.get(name).map(|value| &**value)
    }

    /// Finds all of them in texts.
    pub const fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }
}

/// Where a host's secrets come from.
pub trait SecretStore: Send + Sync + 'static {
    /// The secrets as they are now.
    fn current(&self) -> Arc<SecretSet>;
}

/// A host without secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSecrets;

impl SecretStore for NoSecrets {
    fn current(&self) -> Arc<SecretSet> {
        static NONE: LazyLock<Arc<SecretSet>> = LazyLock::new(Arc::default);
        Arc::clone(&NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let value = SecretValue::new(b"correct horse".to_vec()).expect("long enough");
        assert_eq!((format!("{value}"), format!("{value:?}")), ("[secret]".to_owned(), "[secret]".to_owned()));
        let set = SecretSet::new([("a".to_owned(), Arc::new(value))].into(), &[]).expect("few");
        assert!(!format!("{set:?}").contains("correct"), "{set:?}");
        assert_eq!(set.get("a").map(SecretValue::expose), Some(b"correct horse".as_slice()));
        assert!(set.get("b").is_none());
    }

    #[test]
    fn what_is_too_short_or_too_long_is_refused() {
        let of = |length| SecretValue::new(vec![b'x'; length]).map(drop);
        assert_eq!(of(MIN_SECRET - 1), Err(InvalidSecret::TooShort(7)));
        assert_eq!((of(MIN_SECRET), of(MAX_SECRET)), (Ok(()), Ok(())));
        assert_eq!(of(MAX_SECRET + 1), Err(InvalidSecret::TooLong));
    }

    #[test]
    fn a_former_secret_is_not_sent_and_still_kept_out_of_texts() {
        let former = Arc::new(SecretValue::new(b"old-password".to_vec()).expect("long enough"));
        let set = SecretSet::new(BTreeMap::new(), &[("a".to_owned(), former)]).expect("few");
        assert!(set.get("a").is_none());
        assert_eq!(set.redactor().text("it was old-password"), "it was [secret a]");
    }
}
