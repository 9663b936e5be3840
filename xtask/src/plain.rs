//! Builds the components of tests/plain, each with the tools of its language alone.
//!
//! Nothing here knows this host, and nothing of this host goes into them: they
//! show what a component is that somebody else made. What they make costs
//! seconds of an interpreter's start, so that a component is only built anew
//! when its sources or its tools have changed.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use wit_bindgen_core::Files;
use wit_parser::Resolve;

/// The target that C is compiled for, which is also where its sysroot has its files.
const C_TARGET: &str = "wasm32-wasip2";

/// Folders of a source that are no part of it: Python writes them.
const BY_THE_WAY: &str = "__pycache__";

/// A language, by what makes components of it.
struct Language {
    name: &'static str,
    /// Which releases of the tools are at work.
    release: fn(&Tools) -> Result<String, String>,
    build: fn(&Tools, &Job) -> Result<(), String>,
}

/// Rust is not among them: its component is a member of the guests' workspace.
const LANGUAGES: [Language; 3] = [
    Language { name: "python", release: python_release, build: build_python },
    Language { name: "javascript", release: javascript_release, build: build_javascript },
    Language { name: "c", release: c_release, build: build_c },
];

/// Where third-party toolchains are.
struct Tools {
    folder: PathBuf,
}

/// One component to be built.
struct Job {
    /// The author's folder.
    source: PathBuf,
    /// A folder for whatever lies between.
    work: PathBuf,
    /// Where the component goes.
    component: PathBuf,
}

/// Builds what has changed, all languages at once, and gives each language's
/// name with its component.
pub(crate) fn build(root: &Path) -> Result<Vec<(&'static str, PathBuf)>, String> {
    let tools = &Tools::of(root);
    thread::scope(|scope| {
        let jobs = LANGUAGES.map(|language| {
            let work = root.join("target/plain").join(language.name);
            let component = work.join("component.wasm");
            let job = Job { source: root.join("tests/plain").join(language.name), work, component };
            scope.spawn(move || {
                bring_up_to_date(&language, tools, &job)
                    .map(|()| (language.name, job.component))
                    .map_err(|error| format!("tests/plain/{}: {error}", language.name))
            })
        });
        jobs.into_iter().map(|job| job.join().map_err(|_| "a build panicked".to_owned())?).collect()
    })
}

/// Builds, unless that was done of the same sources by the same tools.
fn bring_up_to_date(language: &Language, tools: &Tools, job: &Job) -> Result<(), String> {
    let stamp = job.work.join("made-of");
    let made_of = made_of(&job.source, &(language.release)(tools)?)?;
    if job.component.is_file() && fs::read_to_string(&stamp).is_ok_and(|old| old == made_of) {
        return Ok(());
    }
    // Made anew as a whole: what an older source left behind would go in too.
    if job.work.exists() {
        fs::remove_dir_all(&job.work).map_err(|error| format!("{}: {error}", job.work.display()))?;
    }
    fs::create_dir_all(&job.work).map_err(|error| format!("{}: {error}", job.work.display()))?;
    println!("guests: building the plain component in {} …", language.name);
    (language.build)(tools, job)?;
    // Last, so that a build that was broken off is done again.
    fs::write(&stamp, made_of).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// The tools and every source, whole: they are a few pages, and no sum of them can lie.
fn made_of(source: &Path, release: &str) -> Result<String, String> {
    let mut text = format!("{release}\n");
    for path in files(source)? {
        let content = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(source).unwrap_or(&path);
        // Writing to a string can't fail.
        let _ = writeln!(text, "--- {}\n{}", name.display(), String::from_utf8_lossy(&content));
    }
    Ok(text)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if !path.is_dir() {
            found.push(path);
        } else if !path.ends_with(BY_THE_WAY) {
            found.extend(files(&path)?);
        }
    }
    found.sort();
    Ok(found)
}

impl Tools {
    fn of(root: &Path) -> Self {
        let named = std::env::var_os("BAILIWICK_TOOLCHAINS").map(PathBuf::from);
        Self { folder: named.unwrap_or_else(|| root.join("target/toolchains")) }
    }

    /// A file that set-up has put there.
    fn file(&self, below: &str) -> Result<PathBuf, String> {
        let path = self.folder.join(below);
        if path.exists() { Ok(path) } else { Err(format!("{} is missing: `make setup` gets it", path.display())) }
    }
}

// --- Python ---

fn python_release(tools: &Tools) -> Result<String, String> {
    said(Command::new(tools.file("python/bin/componentize-py")?).arg("--version"))
}

fn build_python(tools: &Tools, job: &Job) -> Result<(), String> {
    let mut command = Command::new(tools.file("python/bin/componentize-py")?);
    command.arg("--quiet").arg("--wit-path").arg(job.source.join("wit"));
    command.args(["componentize", "shop", "--python-path"]).arg(&job.source).arg("--output").arg(&job.component);
    // Otherwise it would also look into whichever environment this one was called from.
    run(command.current_dir(&job.work).env_remove("VIRTUAL_ENV"))
}

// --- JavaScript ---

/// Of the folder with the packages.
const COMPONENTIZE_JS: &str = "javascript/node_modules/@bytecodealliance/componentize-js";

fn javascript_release(tools: &Tools) -> Result<String, String> {
    let path = tools.file(COMPONENTIZE_JS)?.join("package.json");
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn build_javascript(tools: &Tools, job: &Job) -> Result<(), String> {
    // Its own command line, which hands everything on to its `componentize()`.
    let program = tools.file(COMPONENTIZE_JS)?.join("src/cli.js");
    let mut command = Command::new(node(tools));
    command.arg(program).args(["--wit", "wit", "counter.js", "--out"]).arg(&job.component);
    // The path as it is given stands in the component, for stacks of errors.
    run(command.current_dir(&job.source))
}

/// The Node of the toolchain, where the system's is too old.
fn node(tools: &Tools) -> PathBuf {
    tools.file("javascript/node_modules/.bin/node").unwrap_or_else(|_| "node".into())
}

// --- C ---

fn c_release(_: &Tools) -> Result<String, String> {
    Ok(format!("{}{}", said(Command::new("clang").arg("--version"))?, said(Command::new("rustc").arg("--version"))?))
}

/// As a Makefile of the author's would: bindings, objects, and one component of them.
fn build_c(tools: &Tools, job: &Job) -> Result<(), String> {
    let sysroot = tools.file("c/sysroot")?;
    let generated = bindings(&job.source.join("wit"), &job.work)?;
    let with = |ending: &'static str| generated.iter().filter(move |path| path.extension() == Some(OsStr::new(ending)));
    let mut objects: Vec<PathBuf> = with("o").cloned().collect();
    for source in with("c").chain([&job.source.join("sensors.c")]) {
        let object = job.work.join(source.with_extension("o").file_name().unwrap_or_default());
        let mut command = Command::new("clang");
        command.arg(format!("--target={C_TARGET}")).arg("--sysroot").arg(&sysroot).arg("-I").arg(&job.work);
        command.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]);
        // What an assertion says should not name a folder of this machine.
        command.arg(format!("-fmacro-prefix-map={}/=", job.source.display()));
        run(command.arg("-c").arg(source).arg("-o").arg(&object))?;
        objects.push(object);
    }
    let libraries = sysroot.join("lib").join(C_TARGET);
    let programs = compiler_programs()?;
    let mut command = Command::new(programs.join("wasm-component-ld"));
    // Named, because it would else take that of the system, which may be too old for the C library.
    command.arg("--wasm-ld-path").arg(programs.join("gcc-ld/wasm-ld"));
    command.args(["--entry", "_initialize"]).arg(libraries.join("crt1-reactor.o")).args(objects);
    command.arg("-L").arg(&libraries).args(["-lc", "-lclang_rt.builtins-wasm32"]);
    run(command.arg("--output").arg(&job.component))
}

/// Writes what `wit-bindgen c` would, and gives the files.
fn bindings(wit: &Path, into: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error:#}", wit.display());
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).map_err(|error| failed(&error))?;
    let world = resolve.select_world(&[package], None).map_err(|error| failed(&error))?;
    let mut files = Files::default();
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files).map_err(|error| failed(&error))?;
    let mut written = Vec::new();
    for (name, content) in files.iter() {
        let path = into.join(name);
        fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        written.push(path);
    }
    Ok(written)
}

/// The programs that come with every rustc, among them the linkers of its own
/// targets: `wasm-ld`, and what makes a component of that one's modules.
fn compiler_programs() -> Result<PathBuf, String> {
    let libraries = said(Command::new("rustc").args(["--print", "target-libdir"]))?;
    let programs = Path::new(libraries.trim()).with_file_name("bin");
    if programs.is_dir() { Ok(programs) } else { Err(format!("{} is missing from this rustc", programs.display())) }
}

// --- programs ---

fn run(command: &mut Command) -> Result<(), String> {
    said(command).map(drop)
}

/// What the program says on its standard output; where it fails, all that it says is the error.
fn said(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program} can't be started: {error}"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(stdout.into_owned());
    }
    Err(format!("{program} ended with {} and said:\n{}{}", output.status, stdout, stderr.trim_end()))
}
