//! What the host's errors mean to the caller.

use std::io::{Error, ErrorKind};

use wasip2::filesystem::types::ErrorCode;

use crate::exports::bailiwick::files::tools::Failure;
use crate::path::Target;

/// The number that WASI's libc gives to "not capable", for which std has no
/// kind: the host refused what the folder's grant does not hold.
const NOT_CAPABLE: i32 = 76;

/// Explains why `target` could not be read.
pub fn reading(target: &Target, error: &Error) -> Failure {
    let path = &target.path;
    if is_refusal(error) {
        return Failure::Denied(format!(
            "`{path}` may not be read: the host refused it, as for a link that leaves the granted folder `{}`",
            target.root.path
        ));
    }
    explain(path, "read", error)
}

/// Explains why the names in `target` could not be read.
pub fn listing(target: &Target, code: ErrorCode) -> Failure {
    let kind = match code {
        ErrorCode::Access | ErrorCode::NotPermitted => ErrorKind::PermissionDenied,
        ErrorCode::NoEntry => ErrorKind::NotFound,
        ErrorCode::NotDirectory => ErrorKind::NotADirectory,
        _ => ErrorKind::Other,
    };
    reading(target, &Error::new(kind, code))
}

/// Explains why the folders on the way to `target` could not be made.
pub fn making_parents(target: &Target, error: &Error) -> Failure {
    match error.kind() {
        ErrorKind::AlreadyExists => explain(&target.path, "written", &ErrorKind::NotADirectory.into()),
        _ => writing(target, error),
    }
}

/// Explains why `target` could not be written.
pub fn writing(target: &Target, error: &Error) -> Failure {
    let path = &target.path;
    if is_refusal(error) {
        return Failure::Denied(refused_write(target));
    }
    match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::AlreadyExists(format!("`{path}` exists; use the mode `overwrite` or `append`"))
        }
        ErrorKind::NotFound => {
            Failure::NotFound(format!("the folder of `{path}` does not exist; `create-parents` makes it"))
        }
        _ => explain(path, "written", error),
    }
}

fn refused_write(target: &Target) -> String {
    let (path, root) = (&target.path, &target.root.path);
    if target.is_writable() {
        format!(
            "`{path}` may not be written: the host refused it, as for a link that leaves the granted folder `{root}`"
        )
    } else {
        format!("`{path}` may not be written: `{root}` is granted for reading only")
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
        || error.raw_os_error() == Some(NOT_CAPABLE)
}

fn explain(path: &str, done: &str, error: &Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::NotFound(format!("there is no file or folder `{path}`")),
        ErrorKind::NotADirectory => {
            Failure::InvalidInput(format!("`path` is `{path}`, but a part of it is a file and not a folder"))
        }
        ErrorKind::IsADirectory => {
            Failure::InvalidInput(format!("`path` is `{path}`, which is a folder; expected a file"))
        }
        ErrorKind::InvalidFilename => {
            Failure::InvalidInput(format!("`path` is `{path}`, which has a name that the host does not take"))
        }
        _ => Failure::Io(format!("`{path}` could not be {done}: {error}")),
    }
}
