//! The control socket of a host that a command has: other commands reach it there.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use bailiwick_api::{Router, serve_control};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use crate::output::{Exit, Failure};

/// A socket that is served until this is dropped.
pub struct ControlSocket {
    path: PathBuf,
    served: JoinHandle<()>,
}

impl ControlSocket {
    /// Opens the socket at `path`, within a runtime. The data folder is this process's
    /// alone, so that a socket that is there already was left behind.
    pub fn open(path: PathBuf, router: Router) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let problem = format!("the control socket {}: {error}", path.display());
            Failure::new(Exit::Host, problem)
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let served = tokio::spawn(async move {
            match serve_control(listener, router).await {
                Ok(never) => match never {},
                Err(error) => tracing::error!(%error, "the control socket is closed"),
            }
        });
        Ok(Self { path, served })
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.served.abort();
        drop(fs::remove_file(&self.path));
    }
}
