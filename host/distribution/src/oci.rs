//! Registries: the OCI distribution specification, as far as packages need it.
//!
//! Written over hyper, which is in the tree: docs/decisions/0011 says why. Whatever
//! a registry sends is held against a limit while it is read, and against its
//! digest before it is used.

mod auth;
mod http;
mod manifest;
mod pull;
mod push;

use std::fmt;
use std::time::Duration;

use bailiwick_domain::digest::Digest;
use zeroize::Zeroizing;

use self::http::Http;
use crate::bundle::BundleError;
use crate::source::Reference;

pub use self::pull::Found;
pub use self::push::Pushed;

/// How long a package may take on its way, whatever its size.
const PATIENCE: Duration = Duration::from_mins(10);

/// Who asks a registry.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password, or what the registry takes for one.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// How a registry is asked.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Whether it may be asked without encryption where it is not on this machine.
    pub plain_http: bool,
    /// Who asks; nobody in particular where it is left out.
    pub credentials: Option<Credentials>,
}

/// One repository of a registry.
pub struct Repository {
    http: Http,
    reference: Reference,
}

/// Why a registry gave no package, or took none.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// Nobody is there.
    #[error("can't reach `{host}`: {problem}")]
    Unreachable {
        /// The host.
        host: String,
        /// What went wrong.
        problem: String,
    },
    /// It would have been asked without encryption.
    #[error(
        "`{host}` is not on this machine and would be asked without encryption: use a registry that has TLS, or say `--plain-http`"
    )]
    Plain {
        /// The host.
        host: String,
    },
    /// It took too long.
    #[error("`{host}` took longer than {} s {what}", after.as_secs())]
    Slow {
        /// The host.
        host: String,
        /// What it was to do.
        what: &'static str,
        /// How long it had.
        after: Duration,
    },
    /// It wants to know who asks.
    #[error("`{host}` {problem}: say who you are with `--username NAME --password-stdin`")]
    Login {
        /// The host.
        host: String,
        /// Whether a login is missing or wrong.
        problem: &'static str,
    },
    /// It doesn't have it.
    #[error("the registry has no {what}")]
    Missing {
        /// What was asked for.
        what: String,
    },
    /// It answered an error, or what nobody asked for.
    #[error("`{host}` answered the status {status} to a request for {what}{said}")]
    Status {
        /// The host.
        host: String,
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// Its reason, where it gave one.
        said: String,
    },
    /// It answered something that is not what was asked for.
    #[error("`{host}` answered what is no {what}: {problem}")]
    Nonsense {
        /// The host.
        host: String,
        /// What was asked for.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// It sends more than it may.
    #[error("{what} is larger than it may be: expected at most {max} bytes")]
    TooLarge {
        /// What it is.
        what: String,
        /// The limit.
        max: u64,
    },
    /// It sent other bytes than those that were asked for.
    #[error("{what} has the digest {found}: expected {expected}; the registry or somebody on the way has changed it")]
    Digest {
        /// What it is.
        what: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// The manifest is no package's.
    #[error("{reference} is no skill: {problem}")]
    NotASkill {
        /// The place.
        reference: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The layers make no package.
    #[error("{reference} holds no package: {error}")]
    Bundle {
        /// The place.
        reference: String,
        /// What is wrong with them.
        error: BundleError,
    },
}

impl Repository {
    /// The repository of `reference`. Nothing is asked yet.
    pub fn new(reference: &Reference, access: &Access) -> Self {
        Self { http: Http::new(reference.authority(), access), reference: reference.clone() }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.reference.repository)
    }

    /// Gives up on a registry that keeps `work` waiting.
    async fn patiently<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, OciError>>,
    ) -> Result<T, OciError> {
        let slow = || OciError::Slow { host: self.reference.authority(), what, after: PATIENCE };
        tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(slow()))
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.reference).finish()
    }
}
