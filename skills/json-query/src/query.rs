//! The tools that run a filter: over one text, and over lines.

use crate::failure::{describe, invalid_argument, runtime, too_large};
use crate::json::Json;
use crate::limits::{DEFAULT_RESULTS, MAX_LINES, MAX_REJECTED, MAX_RESULTS, MAX_VARIABLES};
use crate::run::{Next, Program, Results};
use crate::wit::{
    Failure, JsonProblem, LineAnswer, LinesAnswer, LinesOptions, LinesResults, QueryAnswer, QueryOptions, RejectedLine,
    Variable,
};
use crate::{filter, parse, value};

pub fn text(filter: &str, input: &str, options: QueryOptions) -> Result<QueryAnswer, Failure> {
    let program = program(filter, options.variables)?;
    let most = most_results(options.max_results)?;
    let mut results = Results::new(options.raw_strings.unwrap_or(false), most);
    let mut inputs = parse::many("input", input)?;
    if options.slurp.unwrap_or(false) {
        let all = inputs.collect::<Result<Vec<_>, _>>()?;
        results.add(&program, value::from_json(Json::Array(all)))?;
    } else {
        let first = inputs.next().unwrap_or_else(|| parse::one("input", input))?;
        let mut next = results.add(&program, value::from_json(first))?;
        while next == Next::Go
            && let Some(input) = inputs.next()
        {
            next = results.add(&program, value::from_json(input?))?;
        }
    }
    Ok(QueryAnswer { results: results.texts, truncated: results.truncated })
}

pub fn lines(filter: &str, input: &str, options: LinesOptions) -> Result<LinesAnswer, Failure> {
    parse::check_size("input", input)?;
    let program = program(filter, options.variables)?;
    let most = most_results(options.max_results)?;
    let keep_going = options.keep_going.unwrap_or(false);
    let flatten = options.flatten.unwrap_or(false);
    let mut results = Results::new(options.raw_strings.unwrap_or(false), most);
    let mut rejects = Rejects::default();
    // For each line, how many of the results are its own.
    let mut counts: Vec<(u32, usize)> = Vec::new();

    let numbered = (1u32..).zip(input.lines());
    for (line, text) in numbered.filter(|(_, text)| !text.trim().is_empty()) {
        if !flatten && counts.len() == MAX_LINES {
            results.truncated = true;
            break;
        }
        let before = results.texts.len();
        match one_line(&program, line, text, &mut results) {
            Ok(next) => {
                counts.push((line, results.texts.len() - before));
                if next == Next::Stop {
                    break;
                }
            }
            Err(failure) if keep_going => {
                results.take_back(before);
                rejects.add(line, &failure);
            }
            Err(failure) => return Err(on_line(line, failure)),
        }
    }
    Ok(LinesAnswer {
        truncated: results.truncated,
        results: match flatten {
            true => LinesResults::Flat(results.texts),
            false => LinesResults::PerLine(per_line(results.texts, counts)),
        },
        rejected: rejects.listed,
        rejected_count: rejects.count,
    })
}

#[derive(Default)]
struct Rejects {
    listed: Vec<RejectedLine>,
    count: u32,
}

impl Rejects {
    fn add(&mut self, line: u32, failure: &Failure) {
        self.count += 1;
        if self.listed.len() < MAX_REJECTED {
            let message = describe(failure);
            self.listed.push(RejectedLine { line, message });
        }
    }
}

fn one_line(program: &Program, line: u32, text: &str, results: &mut Results) -> Result<Next, Failure> {
    let input = parse::one("input", text).map_err(|failure| match failure {
        // A line is read as a text of its own, so its problems are all in line 1.
        Failure::InvalidJson(problem) => Failure::InvalidJson(JsonProblem { line, ..problem }),
        other => other,
    })?;
    results.add(program, value::from_json(input))
}

fn program(filter: &str, variables: Option<Vec<Variable>>) -> Result<Program, Failure> {
    let variables = variables.unwrap_or_default();
    if variables.len() > MAX_VARIABLES {
        return Err(invalid_argument(format!(
            "there are {} variables; at most {MAX_VARIABLES} are allowed",
            variables.len()
        )));
    }
    let mut names: Vec<String> = Vec::with_capacity(variables.len());
    let mut values = Vec::with_capacity(variables.len());
    for Variable { name, value_json } in variables {
        let name = variable_name(&name)?;
        if names.contains(&name) {
            return Err(invalid_argument(format!("variable `{name}` is given twice")));
        }
        values.push(value::from_json(parse::one(&name, &value_json)?));
        names.push(name);
    }
    Ok(Program { filter: filter::compile(filter, &names)?, variables: values })
}

fn variable_name(name: &str) -> Result<String, Failure> {
    let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let starts_with_digit = name.starts_with(|c: char| c.is_ascii_digit());
    if name.is_empty() || !word || starts_with_digit {
        return Err(invalid_argument(format!(
            "variable name {name:?} must be letters, digits and `_`, without a digit first and without `$`"
        )));
    }
    Ok(format!("${name}"))
}

fn most_results(asked: Option<u32>) -> Result<usize, Failure> {
    let most = asked.unwrap_or(DEFAULT_RESULTS);
    if !(1..=MAX_RESULTS).contains(&most) {
        return Err(invalid_argument(format!("max-results is {most}, but must be from 1 to {MAX_RESULTS}")));
    }
    usize::try_from(most).map_err(|_| invalid_argument("max-results is beyond this machine"))
}

fn on_line(line: u32, failure: Failure) -> Failure {
    match failure {
        Failure::Runtime(message) => runtime(format!("line {line}: {message}")),
        Failure::TooLarge(message) => too_large(format!("line {line}: {message}")),
        other => other,
    }
}

fn per_line(texts: Vec<String>, counts: Vec<(u32, usize)>) -> Vec<LineAnswer> {
    let mut texts = texts.into_iter();
    let answer = |(line, count)| {
        let results = texts.by_ref().take(count).collect();
        LineAnswer { line, results }
    };
    counts.into_iter().map(answer).collect()
}
