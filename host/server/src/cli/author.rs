//! The commands of an author, who needs no server for them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What an author does.
#[derive(Debug, Subcommand)]
pub enum Author {
    /// Write a new skill that builds and passes its tests as it stands.
    New(New),
    /// Build the component of a skill, by the toolchain of its language.
    Build(Build),
    /// Say what is wrong with a package, and how to mend it, before a host does.
    Check(Check),
    /// Run the cases of a package, each on a host of its own.
    Test(Test),
    /// Build, serve and rebuild a package whenever a file of it is saved.
    Dev(Dev),
    /// Show what a component is, needs, and can never do.
    Inspect(Inspect),
    /// Measure a tool of a package or a component on this machine.
    Bench(Bench),
    /// Sources for a world, and components of modules: for builds in C.
    #[command(subcommand)]
    Wit(Wit),
}

/// Write a new skill that builds and passes its tests as it stands.
#[derive(Debug, Args)]
pub struct New {
    /// What to call it: lowercase words with hyphens, such as `word-count`.
    pub name: String,
    /// What it is written in; a prompt that is only text needs none.
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
    /// What it is.
    #[arg(long, value_enum, default_value = "tool")]
    pub kind: Kind,
    /// Whose it is: the part of its id before the slash.
    #[arg(long, value_name = "NAMESPACE", default_value = bailiwick_authoring::new::NAMESPACE)]
    pub namespace: String,
    /// Where to write it: a folder that is new or empty. One of the skill's name where it is left out.
    #[arg(long, value_name = "FOLDER")]
    pub path: Option<PathBuf>,
}

/// A language that skills can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// By cargo.
    Rust,
    /// By componentize-py.
    Python,
    /// By componentize-js; TypeScript too.
    #[value(name = "javascript", alias = "typescript")]
    JavaScript,
    /// By make and clang.
    C,
}

/// What a new skill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Functions that models and programs call.
    Tool,
    /// Texts to begin a task with.
    Prompt,
    /// A task that drives other skills.
    Workflow,
}

/// Build the component of a skill, by the toolchain of its language.
#[derive(Debug, Args)]
pub struct Build {
    /// The package.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Build it again in another folder, and fail where the bytes differ.
    #[arg(long)]
    pub check_reproducible: bool,
}

/// Say what is wrong with a package, and how to mend it, before a host does.
#[derive(Debug, Args)]
pub struct Check {
    /// The package.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Let warnings fail too.
    #[arg(long)]
    pub strict: bool,
    /// Also build it twice, and fail where the bytes differ. The component is then a new one.
    #[arg(long)]
    pub reproducible: bool,
}

/// Run the cases of a package, each on a host of its own.
///
/// Cases stand in `tests/*.toml`: a tool, its arguments, what may be touched, what is
/// expected. Folders are copies, state is empty, and what a case doesn't allow is refused.
#[derive(Debug, Args)]
pub struct Test {
    /// The package.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Only cases whose name or file contains this.
    pub filter: Option<String>,
    /// Write down what tools answer now, as the snapshots of the cases that have one.
    #[arg(long)]
    pub update: bool,
}

/// Build, serve and rebuild a package whenever a file of it is saved.
///
/// It is served on loopback with a key and a data folder of this session alone, and is
/// granted what its manifest asks for, folders within `.build/dev` of the package.
#[derive(Debug, Args)]
pub struct Dev {
    /// The package.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Where to listen; any free port where it is left out.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub port: u16,
    /// A configuration value that it sees.
    #[arg(long, value_name = "KEY=VALUE")]
    pub setting: Vec<String>,
}

/// Show what a component is, needs, and can never do.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The component.
    pub file: PathBuf,
    /// Also print the JSON Schemas of each tool.
    #[arg(long)]
    pub schemas: bool,
}

/// Measure a tool of a package or a component on this machine.
#[derive(Debug, Args)]
pub struct Bench {
    /// The package, or a component by itself.
    #[arg(default_value = ".")]
    pub subject: PathBuf,
    /// Which tool; may be left out where there is only one.
    pub tool: Option<String>,
    /// Arguments as a JSON object; `-` reads them from stdin, `@FILE` from a file.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub args: String,
    /// One argument; the value is JSON where it can be read as such, else text.
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    pub arg: Vec<String>,
    /// How many calls to measure.
    #[arg(long, default_value_t = 200, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub calls: u32,
}

/// Sources for a world, and components of modules: for builds in C.
#[derive(Debug, Subcommand)]
pub enum Wit {
    /// Write the header and the source file that speak for a world.
    Bindings(Bindings),
    /// Make a component of a core module.
    Componentize(Componentize),
}

/// Write the header and the source file that speak for a world.
#[derive(Debug, Args)]
pub struct Bindings {
    /// In which language.
    #[arg(long, value_enum)]
    pub lang: BindingsLanguage,
    /// The package: a folder of .wit files, with those that it uses in `deps/`.
    #[arg(long, value_name = "FOLDER", default_value = "wit")]
    pub wit: PathBuf,
    /// More packages that it may use, a folder each.
    #[arg(long, value_name = "FOLDER")]
    pub deps: Option<PathBuf>,
    /// Which world; may be left out where the package has only one.
    #[arg(long, value_name = "NAME")]
    pub world: Option<String>,
    /// Where to write the files.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}

/// A language that bindings are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BindingsLanguage {
    /// C11, for clang.
    C,
}

/// Make a component of a core module.
#[derive(Debug, Args)]
pub struct Componentize {
    /// What the linker made.
    pub module: PathBuf,
    /// The component to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// The package with its world, where the module was linked without saying which.
    #[arg(long, value_name = "FOLDER")]
    pub wit: Option<PathBuf>,
    /// More packages that it may use, a folder each.
    #[arg(long, value_name = "FOLDER", requires = "wit")]
    pub deps: Option<PathBuf>,
    /// Which world of that package.
    #[arg(long, value_name = "NAME", requires = "wit")]
    pub world: Option<String>,
}
