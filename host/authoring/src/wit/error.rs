//! What can be wrong between a world and the code for it.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why there are no bindings, or no component.
#[derive(Debug, thiserror::Error)]
pub enum WitError {
    /// There is no WIT.
    #[error("there is no folder `{}`; it is where the world of the skill stands, in files that end in .wit", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// WIT that can't be read.
    #[error("`{}` can't be read as WIT: {reason}", folder.display())]
    Unreadable {
        /// The package's folder.
        folder: PathBuf,
        /// What is wrong, with the file and the line.
        reason: String,
    },
    /// No world, or too many.
    #[error("{}", no_world(folder, wanted.as_deref(), there))]
    World {
        /// The package's folder.
        folder: PathBuf,
        /// The one that was asked for.
        wanted: Option<String>,
        /// Those that there are.
        there: Vec<String>,
    },
    /// No bindings can be made of the world.
    #[error("no bindings for C can be made of the world `{world}`: {reason}")]
    Generate {
        /// Its name.
        world: String,
        /// Why.
        reason: String,
    },
    /// The file is a component.
    #[error("the file is a component already, so that there is nothing to be done")]
    AlreadyComponent,
    /// The file is no WebAssembly.
    #[error("the file is no core module of WebAssembly: {reason}")]
    NoModule {
        /// How that is known.
        reason: String,
    },
    /// The module doesn't say what it is for.
    #[error(
        "the module doesn't say which world it is for: link skill_component_type.o, which `bailiwick wit bindings` \
         writes, or name the folder of the world with --wit"
    )]
    NoWorld,
    /// Functions that nobody defined.
    #[error("{}", undefined(functions))]
    Undefined {
        /// Each.
        functions: Vec<Undefined>,
    },
    /// The module was compiled for WASI 0.1.
    #[error(
        "the module uses WASI 0.1 ({}): compile and link it for `wasm32-wasip2`, also what it is linked with",
        some(functions)
    )]
    OldWasi {
        /// What it uses.
        functions: Vec<String>,
    },
    /// The module and its world don't fit.
    #[error("the module doesn't fit its world: {reason}")]
    Encode {
        /// In what.
        reason: String,
    },
    /// A file can't be read or written.
    #[error("can't {doing} `{}`: {error}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// A function that is called and that no object file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undefined {
    /// The world exports it.
    Export(String),
    /// The author's code, or a library, calls it.
    Call(String),
}

/// What bindings call the functions that an author writes begins so.
const EXPORT_PREFIX: &str = "exports_";

impl Undefined {
    pub(super) fn new(name: &str) -> Self {
        let name = name.to_owned();
        if name.starts_with(EXPORT_PREFIX) { Self::Export(name) } else { Self::Call(name) }
    }
}

impl WitError {
    /// A failure of the system at `path`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, error }
    }

    /// What the parser says first has the file and the line; its causes don't.
    pub(super) fn unreadable(folder: &Path, error: impl Into<Cause>) -> Self {
        Self::Unreadable { folder: folder.to_owned(), reason: error.into().to_string() }
    }

    pub(super) fn encode(error: impl Into<Cause>) -> Self {
        Self::Encode { reason: root(error) }
    }
}

type Cause = Box<dyn Error + Send + Sync>;

/// The last cause says what is wrong; those before it say only what was being done.
fn root(error: impl Into<Cause>) -> String {
    let error = error.into();
    let mut cause: &dyn Error = error.as_ref();
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().trim().to_owned()
}

fn no_world(folder: &Path, wanted: Option<&str>, there: &[String]) -> String {
    let folder = folder.display();
    match (wanted, there) {
        (_, []) => format!("the package in `{folder}` has no world: write `world skill {{ export … }}` into it"),
        (Some(name), there) => format!("the package in `{folder}` has no world `{name}`; it has {}", some(there)),
        (None, there) => {
            format!("the package in `{folder}` has several worlds ({}): choose one with --world", some(there))
        }
    }
}

fn undefined(functions: &[Undefined]) -> String {
    let lines = functions.iter().map(|function| match function {
        Undefined::Export(name) => format!(
            "the world exports a function that is not defined: write `{name}`, as skill.h declares it, into one of SOURCES"
        ),
        Undefined::Call(name) => format!(
            "`{name}` is called and not defined: name the file that has it in SOURCES, or its library in LIBS; WASI has no processes, threads or signals"
        ),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The first few of many names.
fn some(names: &[String]) -> String {
    /// As many as a person reads.
    const SHOWN: usize = 5;
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(" and more");
    }
    text
}
