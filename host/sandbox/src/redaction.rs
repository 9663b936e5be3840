//! What leaves a call, without the host's secrets.
//!
//! A guest holds no secret: what servers answer is cleaned before it gets there.
//! This is the second wall, for what came another way, such as in its arguments.

use bailiwick_domain::redact::Redactor;
use bailiwick_domain::sandbox::{InvokeError, Outcome, Output};

/// The outcome without secrets. The log was cleaned where it was cut.
pub(crate) fn clean(mut outcome: Outcome, redactor: &Redactor) -> Outcome {
    if redactor.is_empty() {
        return outcome;
    }
    outcome.result = match outcome.result {
        Ok(output) => self::output(output, redactor),
        Err(error) => Err(self::error(error, redactor)),
    };
    for denial in &mut outcome.denials {
        redactor.clean_cut(&mut denial.request);
        redactor.clean(&mut denial.reason);
    }
    outcome
}

fn output(output: Output, redactor: &Redactor) -> Result<Output, InvokeError> {
    let cleaned = match output {
        Output::Success(json) => redactor.json(json).map(Output::Success),
        Output::Failure(json) => redactor.json(json).map(Output::Failure),
    };
    cleaned.map_err(|error| InvokeError::InvalidOutput(error.to_string()))
}

fn error(mut error: InvokeError, redactor: &Redactor) -> InvokeError {
    let clean = |text: &mut String| redactor.clean(text);
    match &mut error {
        InvokeError::Arguments { path, problem } => [path, problem].into_iter().for_each(clean),
        InvokeError::NotLoaded(text) | InvokeError::InvalidOutput(text) | InvokeError::Host(text) => clean(text),
        InvokeError::Mount { root, reason } => [root, reason].into_iter().for_each(clean),
        InvokeError::Trap { message, backtrace, said } => {
            backtrace.iter_mut().chain([message]).chain(said).for_each(clean);
        }
        InvokeError::Exit { said, .. } => said.iter_mut().for_each(clean),
        InvokeError::NoPermit
        | InvokeError::Full
        | InvokeError::Deadline { .. }
        | InvokeError::Fuel(_)
        | InvokeError::Memory(_)
        | InvokeError::InputTooLarge(_)
        | InvokeError::Limit { .. }
        | InvokeError::OutputTooLarge(_) => {}
    }
    error
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::receipt::Denial;
    use bailiwick_domain::usage::Usage;

    use super::*;

    const SECRET: &str = "hunter2hunter2";

    fn clean(result: Result<Output, InvokeError>) -> Outcome {
        let redactor = Redactor::new([("pw", SECRET.as_bytes())].into_iter()).expect("one");
        let denial = Denial { capability: "http", request: format!("GET {SECRET}"), reason: SECRET.to_owned() };
        let outcome =
            Outcome { result, usage: Usage::default(), denials: vec![denial], used: vec![], log: String::new() };
        super::clean(outcome, &redactor)
    }

    #[test]
    fn no_way_out_has_a_secret() {
        let text = || SECRET.to_owned();
        for result in [
            Ok(Output::Success(format!("[\"{SECRET}\"]"))),
            Ok(Output::Failure(format!("\"{SECRET}\""))),
            Ok(Output::Success(SECRET.to_owned())),
            Err(InvokeError::Arguments { path: text(), problem: text() }),
            Err(InvokeError::NotLoaded(text())),
            Err(InvokeError::Mount { root: text(), reason: text() }),
            Err(InvokeError::Trap { message: text(), backtrace: vec![text(), text()], said: Some(text()) }),
            Err(InvokeError::Exit { status: 1, said: Some(text()) }),
            Err(InvokeError::InvalidOutput(text())),
            Err(InvokeError::Host(text())),
        ] {
            let outcome = clean(result);
            assert!(!format!("{outcome:?}").contains(SECRET), "{outcome:?}");
        }
        let kept = clean(Ok(Output::Success("[\"x\"]".to_owned())));
        assert_eq!(kept.result, Ok(Output::Success("[\"x\"]".to_owned())));
        assert_eq!(kept.denials[0].request, "GET [secret pw]");
    }
}
