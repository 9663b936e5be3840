//! The capabilities: what a guest may be allowed to touch, and when two such
//! allowances agree. Every rule here is pure; the sandbox enforces them.

mod address;
mod fs;
mod host;
mod http;
mod path;
mod secret;
mod shell;
mod skill;

pub use self::address::{AddressBlock, InvalidBlock, is_public};
pub use self::fs::{Access, FsMount, FsRequest, GuestPath, InvalidGuestPath};
pub use self::host::{HostPattern, InvalidHost};
pub use self::http::{HttpDeny, HttpRule, HttpTarget, Scheme};
pub use self::path::{InvalidPath, PathPattern};
pub use self::secret::{InvalidDestination, SecretDestination};
pub use self::shell::{CommandRule, FURTHER, InvalidCommand, MAX_COMMAND_BYTES, MAX_WORDS, SHELL_RISK};
pub use self::skill::SkillRule;
