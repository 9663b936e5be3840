//! `bailiwick inspect`: a component on one page.

use std::fs;

use bailiwick_authoring::component::Form;
use bailiwick_authoring::inspect::{self, Page};
use bailiwick_authoring::shown;
use serde_json::Value;

use super::lab;
use crate::app;
use crate::cli::author::Inspect;
use crate::config::Config;
use crate::output::{Done, Exit, Failure, Output, tame};

pub(super) fn run(inspect: &Inspect, config: &Config, out: Output) -> Done {
    let file = inspect.file.display();
    let wrong = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, format!("{file}: {error}"));
    if inspect.file.is_dir() {
        return Err(wrong(
            &"found a folder, expected a component, such as skill.wasm; for a package there is `bailiwick check`",
        ));
    }
    let bytes = fs::read(&inspect.file).map_err(|error| wrong(&error))?;
    let config = Config { cache_dir: lab::cache(config), ..config.clone() };
    let inspection = app::reader(&config)?.load(&inspect.file);
    let read = inspection.as_ref().map(|it| &**it).map_err(ToString::to_string);
    let page = inspect::page(&bytes, read).map_err(|error| wrong(&error))?;
    if out.json {
        out.value(&serde_json::to_value(&page).map_err(|error| Failure::new(Exit::Host, error))?);
    } else {
        print(&page, inspect, out);
    }
    if page.problem.is_some() { Err(Failure::new(Exit::Host, "")) } else { Ok(()) }
}

fn print(page: &Page, inspect: &Inspect, out: Output) {
    out.line(format!("{}  {}", out.bold(&inspect.file.display().to_string()), shown::size(page.sizes.file)));
    out.line(page.digest);
    out.line(&page.world);
    if let Some(problem) = &page.problem {
        out.line(format!("{}: {}", out.red("this host can't run it"), tame(problem)));
    }
    for tool in &page.tools {
        out.line(format!("\n{}", out.bold(&format!("tool {}", tool.name))));
        let about = tool.description.as_deref().unwrap_or("(no description)");
        tame(about).lines().for_each(|line| out.line(format!("    {line}")));
        out.line(format!("    arguments: {}", signature(&tool.input_schema)));
        if inspect.schemas {
            schema("arguments", &tool.input_schema, out);
            schema("output", &tool.output_schema, out);
            tool.failure_schema.iter().for_each(|it| schema("failure", it, out));
        }
    }
    section("Exports", page.exports.iter().map(|it| format!("{} ({})", it.name, it.kind)), out);
    let import = |import: &inspect::Import| match import.asked_by {
        Some(key) => format!("{}: {}, with `{key}`", import.name, import.use_of_it),
        None => format!("{}: {}", import.name, import.use_of_it),
    };
    section("Imports, and what they are good for", page.imports.iter().map(import), out);
    if page.form == Form::Component {
        let never = page.reach.iter().filter(|it| !it.imported);
        section("Whatever it is granted", never.map(|it| it.meaning.clone()), out);
    }
    section("Sizes", sizes(page).into_iter(), out);
    let by = |(kind, names): (&String, &std::collections::BTreeMap<String, String>)| {
        let names: Vec<_> =
            names.iter().map(|(name, version)| format!("{name} {version}").trim_end().to_owned()).collect();
        format!("{kind}: {}", names.join(", "))
    };
    section("Made by", page.producers.iter().map(by), out);
}

fn section(title: &str, lines: impl Iterator<Item = String>, out: Output) {
    out.line(format!("\n{}", out.bold(title)));
    let mut any = false;
    for line in lines {
        any = true;
        out.line(format!("    {}", tame(&line)));
    }
    if !any {
        out.line("    nothing");
    }
}

fn sizes(page: &Page) -> Vec<String> {
    let sizes = &page.sizes;
    let mut lines = vec![format!(
        "{} core modules: {} of code in {} functions, {} of data",
        sizes.modules,
        shown::size(sizes.code),
        sizes.functions,
        shown::size(sizes.data)
    )];
    lines.extend(sizes.custom.iter().map(|(name, bytes)| format!("section `{name}`: {}", shown::size(*bytes))));
    lines
}

/// The parameters of a tool with their types, those that may be left out in brackets.
fn signature(schema: &Value) -> String {
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it.as_str() == Some(name)))
    };
    let parameter = |(name, schema): (&String, &Value)| {
        let ty = schema["type"].as_str().map(|ty| format!(": {ty}")).unwrap_or_default();
        if required(name) { format!("{name}{ty}") } else { format!("[{name}{ty}]") }
    };
    let parameters: Vec<_> = schema["properties"].as_object().into_iter().flatten().map(parameter).collect();
    if parameters.is_empty() { "none".to_owned() } else { parameters.join(", ") }
}

fn schema(what: &str, schema: &Value, out: Output) {
    let text = serde_json::to_string_pretty(schema).unwrap_or_default();
    out.line(format!("    {what}:"));
    text.lines().for_each(|line| out.line(format!("      {}", tame(line))));
}
