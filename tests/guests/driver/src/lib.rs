//! A guest that uses all that the host offers beside WASI, for the tests of what it is let.

use bindings::bailiwick::skill::{approvals, models, progress, skills};
use bindings::wasi::logging::logging::{self, Level};
use exports::tests::driver::tools::{Guest, Request, Said};

wit_bindgen::generate!({ world: "driver", path: "wit" });

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/logging", "../../../wit/skill"],
        world: "bailiwick:skill/host",
        generate_all,
    });
}

struct Driver;

fn request(request: Request) -> skills::Request {
    skills::Request { skill: request.skill, tool: request.tool, arguments: request.arguments }
}

/// The case and the words of an error, such as `denied: no`.
fn told(error: skills::Error) -> String {
    use skills::Error;
    match error {
        Error::Denied(text) => format!("denied: {text}"),
        Error::NotFound(text) => format!("not-found: {text}"),
        Error::InvalidArguments(text) => format!("invalid-arguments: {text}"),
        Error::Failed(text) => format!("failed: {text}"),
        Error::ApprovalRequired(text) => format!("approval-required: {text}"),
        Error::Limit(text) => format!("limit: {text}"),
        Error::Unavailable(text) => format!("unavailable: {text}"),
    }
}

impl Guest for Driver {
    fn call(asked: Request) -> Result<String, String> {
        skills::call(&request(asked)).map_err(told)
    }

    fn call_all(asked: Vec<Request>) -> Vec<Result<String, String>> {
        let requests: Vec<_> = asked.into_iter().map(request).collect();
        skills::call_all(&requests).into_iter().map(|answer| answer.map_err(told)).collect()
    }

    fn descend(skill: String, depth: u32) -> Result<String, String> {
        let Some(depth) = depth.checked_sub(1) else { return Ok("the bottom".to_owned()) };
        let arguments = format!("{{\"skill\": \"{skill}\", \"depth\": {depth}}}");
        skills::call(&skills::Request { skill, tool: Some("descend".to_owned()), arguments }).map_err(told)
    }

    fn spin(n: u64) -> u64 {
        (0..n).fold(0, |sum, i| std::hint::black_box(sum + i))
    }

    fn long(bytes: u32) -> String {
        "x".repeat(bytes as usize)
    }

    fn gather(skill: String, calls: u32, bytes: u32) -> u32 {
        let request = |_| skills::Request {
            skill: skill.clone(),
            tool: Some("long".to_owned()),
            arguments: format!("{{\"bytes\": {bytes}}}"),
        };
        let requests: Vec<_> = (0..calls).map(request).collect();
        let answers = skills::call_all(&requests);
        u32::try_from(answers.iter().filter(|answer| answer.is_ok()).count()).unwrap_or(u32::MAX)
    }

    fn complete(model: Option<String>, prompt: String, again: Option<u32>) -> Result<String, String> {
        let messages = vec![models::Message { role: models::Role::User, content: prompt }];
        let request = models::Request { model, messages, max_tokens: None, temperature: None, output_schema: None };
        for _ in 0..again.unwrap_or_default() {
            drop(models::complete(&request));
        }
        models::complete(&request).map(|response| response.text).map_err(|error| format!("{error:?}"))
    }

    fn converse(prompt: String, schema: Option<String>, max_tokens: Option<u32>) -> Result<Said, String> {
        let messages = vec![models::Message { role: models::Role::User, content: prompt }];
        let request = models::Request { model: None, messages, max_tokens, temperature: None, output_schema: schema };
        let response = models::complete(&request).map_err(|error| format!("{error:?}"))?;
        Ok(Said {
            text: response.text,
            finish: format!("{:?}", response.finish),
            input_tokens: response.input_tokens,
            output_tokens: response.output_tokens,
        })
    }

    fn ask(summary: String, details: String) -> Result<String, String> {
        match approvals::ask(&approvals::Question { summary, details }) {
            Ok(approvals::Answer::Approved) => Ok("approved".to_owned()),
            Ok(approvals::Answer::Denied(reason)) => Ok(format!("denied: {}", reason.unwrap_or_default())),
            Err(error) => Err(format!("{error:?}")),
        }
    }

    fn progress(steps: u32, pause_ms: u32) -> u32 {
        for step in 1..=steps {
            progress::report(u64::from(step), Some(u64::from(steps)), &format!("step {step}\nof {steps}"));
            std::thread::sleep(std::time::Duration::from_millis(u64::from(pause_ms)));
        }
        steps
    }

    fn log(context: String, message: String) {
        logging::log(Level::Warn, &context, &message);
    }

    fn panic(message: String) {
        eprintln!("before the end");
        panic!("{message}");
    }

    fn babble(lines: u32, message: String) {
        for line in 0..lines {
            eprintln!("line {line} of many that nobody reads to their end");
        }
        panic!("{message}");
    }

    fn leave(message: String, status: i32) {
        eprintln!("{message}");
        std::process::exit(status);
    }
}

export!(Driver);
