//! `wit`: what the Make fragment for C does with worlds and modules.

use std::fs;
use std::path::Path;

use bailiwick_authoring::wit::{self, WitError};
use serde_json::json;

use crate::cli::author::{Bindings, Componentize, Wit};
use crate::output::{Done, Exit, Failure, Output};

pub(super) fn run(command: &Wit, out: Output) -> Done {
    match command {
        Wit::Bindings(wanted) => bindings(wanted, out),
        Wit::Componentize(wanted) => componentize(wanted, out),
    }
}

fn bindings(wanted: &Bindings, out: Output) -> Done {
    let world = wit::Wanted { folder: &wanted.wit, deps: wanted.deps.as_deref(), world: wanted.world.as_deref() };
    let made = wit::bindings(&world, &wanted.out).map_err(|error| failed(&error))?;
    if out.json {
        out.value(&json!({ "world": made.world, "files": made.files }));
    }
    Ok(())
}

fn componentize(wanted: &Componentize, out: Output) -> Done {
    let module = fs::read(&wanted.module).map_err(|error| unusable("read", &wanted.module, &error))?;
    let world = wanted.wit.as_deref().map(|folder| wit::Wanted {
        folder,
        deps: wanted.deps.as_deref(),
        world: wanted.world.as_deref(),
    });
    let component = wit::componentize(&module, world.as_ref()).map_err(|error| failed(&error))?;
    fs::write(&wanted.out, &component).map_err(|error| unusable("write", &wanted.out, &error))?;
    if out.json {
        out.value(&json!({ "component": wanted.out, "size": component.len() }));
    }
    Ok(())
}

/// Files of the system's can be at fault too, and then it isn't the author's input.
fn failed(error: &WitError) -> Failure {
    let exit = if matches!(error, WitError::Io { .. }) { Exit::Host } else { Exit::Usage };
    Failure::new(exit, error)
}

fn unusable(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("can't {doing} `{}`: {error}", path.display()))
}
