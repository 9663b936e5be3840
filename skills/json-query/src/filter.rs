//! jq text to a program, and jq's errors to places in the text.

mod nesting;

use crate::builtins::{self, Data};
use crate::failure::{invalid_filter, too_large};
use crate::limits::MAX_FILTER_BYTES;
use crate::text::Place;
use crate::wit::Failure;
use jaq_core::compile::Undefined;
use jaq_core::load::{self, Arena, File, Lexer, Loader};
use jaq_core::{Compiler, Filter};

/// Compiles a filter that may use the variables with these names, which begin
/// with a dollar sign.
pub fn compile(code: &str, variables: &[String]) -> Result<Filter<Data>, Failure> {
    check_size(code)?;
    let arena = Arena::default();
    let loader = Loader::new(builtins::defs());
    let modules = loader.load(&arena, File { code, path: () }).map_err(|errors| load_failure(code, errors))?;
    // An `import "x" as $x` that is let through would be a variable without a
    // value, at which jaq panics.
    load::import(&modules, |_| Err(NO_MODULES.to_owned())).map_err(|errors| load_failure(code, errors))?;
    Compiler::default()
        .with_funs(builtins::funs())
        .with_global_vars(variables.iter().map(String::as_str))
        .compile(modules)
        .map_err(|errors| {
            let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
            first.map_or_else(
                || failure_at(code, "", "the filter does not compile"),
                |(name, kind)| failure_at(code, name, &undefined(name, &kind)),
            )
        })
}

const NO_MODULES: &str = "modules can't be loaded here: write their definitions into the filter";

fn check_size(code: &str) -> Result<(), Failure> {
    if code.len() > MAX_FILTER_BYTES {
        return Err(too_large(format!("the filter has {} bytes; at most {MAX_FILTER_BYTES} are read", code.len())));
    }
    // The lexer recurses with the brackets, so those are measured before it runs.
    nesting::check_brackets(code)?;
    match Lexer::new(code).lex() {
        Ok(tokens) => nesting::check_chains(&tokens),
        // The loader meets the same errors again, and reports them.
        Err(_) => Ok(()),
    }
}

fn load_failure(code: &str, errors: load::Errors<&str, ()>) -> Failure {
    let first = errors.into_iter().next().map(|(_, error)| error);
    let problem = first.and_then(|error| match error {
        load::Error::Io(errors) => errors.into_iter().next().map(|(path, _)| (path, NO_MODULES.to_owned())),
        load::Error::Lex(errors) => {
            errors.into_iter().next().map(|(expected, found)| (found, expectation(expected.as_str(), found)))
        }
        load::Error::Parse(errors) => {
            errors.into_iter().next().map(|(expected, found)| (found, expectation(expected.as_str(), found)))
        }
    });
    let (part, message) = problem.unwrap_or(("", "the filter does not parse".to_owned()));
    failure_at(code, part, &message)
}

fn expectation(expected: &str, found: &str) -> String {
    match found.chars().next() {
        None => format!("expected {expected}, but the filter ends"),
        Some(c) if c.is_ascii_alphanumeric() || c == '_' => {
            let word = found.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
            format!("expected {expected}, but found `{}`", word.unwrap_or(found))
        }
        Some(c) => format!("expected {expected}, but found `{c}`"),
    }
}

fn undefined(name: &str, kind: &Undefined) -> String {
    let known = match kind {
        Undefined::Filter(arity) => {
            let advice = unavailable(name).map(str::to_owned).or_else(|| other_arities(name));
            (format!("filter `{name}/{arity}` is not defined"), advice)
        }
        Undefined::Var => (format!("variable `{name}` is not defined"), unavailable(name).map(str::to_owned)),
        other => (format!("{} `{name}` is not defined", other.as_str()), None),
    };
    match known {
        (message, Some(advice)) => format!("{message}: {advice}"),
        (message, None) => message,
    }
}

/// What to do instead, for names of jq that reach outside the arguments.
fn unavailable(name: &str) -> Option<&'static str> {
    Some(match name {
        "input" | "inputs" => "all inputs are in `input`; use the option `slurp` to see them at once",
        "env" | "$ENV" => "there is no environment here; pass a value under `variables`",
        "now" => "there is no clock here; pass the time under `variables`",
        "localtime" | "strflocaltime" => "only UTC is known here; use `gmtime` and `strftime`",
        "input_filename" | "input_line_number" | "$__loc__" | "$__prog_args" => "it is not part of the language here",
        "get_search_list" | "modulemeta" => "there are no modules here",
        _ => return None,
    })
}

fn other_arities(name: &str) -> Option<String> {
    let mut arities: Vec<usize> =
        builtins::signatures().filter(|(known, _)| *known == name).map(|(_, arity)| arity).collect();
    arities.sort_unstable();
    arities.dedup();
    let forms: Vec<String> = arities.iter().map(|arity| format!("`{name}/{arity}`")).collect();
    (!forms.is_empty())
        .then(|| format!("there is {} (the number counts the arguments, which `;` separates)", forms.join(", ")))
}

fn failure_at(code: &str, part: &str, message: &str) -> Failure {
    invalid_filter(message, Place::at(code, offset_of(code, part)))
}

/// Where a slice of the filter begins. jaq points into the filter that it was
/// given; a slice of anything else counts as the filter's end.
fn offset_of(code: &str, part: &str) -> usize {
    let start = code.as_ptr() as usize;
    let place = part.as_ptr() as usize;
    let inside = (start..=start + code.len()).contains(&place);
    if inside { place - start } else { code.len() }
}
