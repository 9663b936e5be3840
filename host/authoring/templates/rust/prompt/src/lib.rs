//! Prompts for reviewing a text.

use bailiwick_guest::prompts::{self, Content, Error, Guest, Prompt};

struct Skill;

impl Guest for Skill {
    fn list() -> Result<Vec<Prompt>, String> {
        let review = vec![
            prompts::argument("text", "The text to review.", true),
            prompts::argument("audience", "Who reads it, such as `new customers`.", false),
            prompts::argument("focus", "What matters most, such as `brevity`.", false),
        ];
        let compare = vec![
            prompts::argument("before", "The older version.", true),
            prompts::argument("after", "The newer version.", true),
        ];
        Ok(vec![
            prompts::prompt("review", "Begins a review of a text.", review),
            prompts::prompt("compare", "Begins a comparison of two versions of a text.", compare),
        ])
    }

    fn get(name: String, arguments: Vec<(String, String)>) -> Result<Content, Error> {
        match name.as_str() {
            "review" => review(&arguments),
            "compare" => compare(&arguments),
            _ => Err(Error::NotFound(format!("there is no prompt `{name}`"))),
        }
    }
}

fn review(arguments: &[(String, String)]) -> Result<Content, Error> {
    let text = prompts::value(arguments, "text")?;
    let mut task = String::from("Review the text below.");
    if let Ok(audience) = prompts::value(arguments, "audience") {
        task.push_str(&format!(" It is read by {audience}: say what they would not understand."));
    }
    if let Ok(focus) = prompts::value(arguments, "focus") {
        task.push_str(&format!(" What matters most is {focus}."));
    }
    task.push_str(" Quote each passage that you would change, and give your words for it.");
    Ok(prompts::text(format!("{task}\n\n---\n\n{text}")))
}

fn compare(arguments: &[(String, String)]) -> Result<Content, Error> {
    let before = prompts::value(arguments, "before")?;
    let after = prompts::value(arguments, "after")?;
    let task = "Compare the two versions of a text below. List what changed in meaning first, then what only reads \
                differently, and say which version you would keep.";
    Ok(prompts::text(format!("{task}\n\n--- before\n\n{before}\n\n--- after\n\n{after}")))
}

bailiwick_guest::export_prompts!(Skill);
