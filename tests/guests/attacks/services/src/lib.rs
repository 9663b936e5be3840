//! What the host does for a running skill: other skills, models, questions, reports.

mod arguments_that_are_none;
mod log_flood;
mod model_flood;
mod model_not_granted;
mod progress_flood;
mod question_flood;
mod question_that_is_huge;
mod question_that_steers_a_terminal;
mod skill_flood;
mod skill_not_granted;
mod skills_at_once;

use bindings::bailiwick::skill::{approvals, models, progress, skills};
use bindings::wasi::logging::logging;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../../wit/logging", "../../../../wit/skill"],
        world: "bailiwick:skill/host",
        generate_all,
    });
}

/// Calls a skill's only tool.
fn call(skill: &str, arguments: &str) -> Result<String, skills::Error> {
    skills::call(&request(skill, arguments))
}

fn request(skill: &str, arguments: &str) -> skills::Request {
    skills::Request { skill: skill.to_owned(), tool: None, arguments: arguments.to_owned() }
}

/// Asks a model.
fn complete(model: &str) -> Result<models::Response, models::Error> {
    let message = models::Message { role: models::Role::User, content: "hello".to_owned() };
    models::complete(&models::Request {
        model: Some(model.to_owned()),
        messages: vec![message],
        max_tokens: None,
        temperature: None,
        output_schema: None,
    })
}

/// Asks a person.
fn ask(summary: &str, details: &str) -> Result<approvals::Answer, approvals::Error> {
    approvals::ask(&approvals::Question { summary: summary.to_owned(), details: details.to_owned() })
}

attack_kit::cases! {
    arguments_that_are_none,
    log_flood,
    model_flood,
    model_not_granted,
    progress_flood,
    question_flood,
    question_that_is_huge,
    question_that_steers_a_terminal,
    skill_flood,
    skill_not_granted,
    skills_at_once,
}
