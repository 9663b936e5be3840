//! A guest that provides all that a skill can beside tools with types.
//!
//! What it provides depends on its setting `mode`, so that one component shows what
//! goes right and what goes wrong.

use exports::bailiwick::skill::{prompts, resources, tools, workflow};
use settings::wasi::config::store;

wit_bindgen::generate!({
    path: ["../../../wit/logging", "../../../wit/skill", "provider.wit"],
    world: "tests:provider/provider",
    generate_all,
});

mod settings {
    wit_bindgen::generate!({ path: "../../../wit/config", world: "wasi:config/imports" });
}

struct Provider;

fn mode() -> String {
    store::get("mode").ok().flatten().unwrap_or_default()
}

impl tools::Guest for Provider {
    fn list() -> Result<Vec<tools::Tool>, String> {
        let tool = |name: &str, input_schema: &str| tools::Tool {
            name: name.to_owned(),
            description: Some(format!("Does what {name} says.")),
            input_schema: input_schema.to_owned(),
            output_schema: Some("{\"type\": \"object\"}".to_owned()),
        };
        let schema = r#"{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}"#;
        match mode().as_str() {
            "fails" => Err("the catalogue is closed".to_owned()),
            "twice" => Ok(vec![tool("double", schema), tool("double", schema)]),
            "bad-schema" => Ok(vec![tool("double", "{\"type\": 7}")]),
            "bad-name" => Ok(vec![tool("two words", schema)]),
            _ => Ok(vec![tool("double", schema), tool("echo", "{}"), tool("nonsense", "{}"), tool("stubborn", "{}")]),
        }
    }

    fn call(name: String, arguments: String) -> Result<String, tools::Error> {
        match name.as_str() {
            "double" => {
                let digits: String = arguments.chars().filter(char::is_ascii_digit).collect();
                let n: u64 = digits.parse().map_err(|_| tools::Error::InvalidArguments(arguments))?;
                Ok(format!("{{\"doubled\": {}}}", n * 2))
            }
            "echo" => Ok(arguments),
            "nonsense" => Ok("not JSON".to_owned()),
            "stubborn" => Err(tools::Error::Failed("it will not".to_owned())),
            other => Err(tools::Error::NotFound(other.to_owned())),
        }
    }
}

impl prompts::Guest for Provider {
    fn list() -> Result<Vec<prompts::Prompt>, String> {
        let argument = prompts::Argument {
            name: "whom".to_owned(),
            description: Some("Whom to greet.".to_owned()),
            required: true,
        };
        let description = Some("Greets somebody.".to_owned());
        Ok(vec![prompts::Prompt { name: "greet".to_owned(), description, arguments: vec![argument] }])
    }

    fn get(name: String, arguments: Vec<(String, String)>) -> Result<prompts::Content, prompts::Error> {
        if name != "greet" {
            return Err(prompts::Error::NotFound(name));
        }
        let whom = arguments.iter().find(|(name, _)| name == "whom");
        let (_, whom) = whom.ok_or_else(|| prompts::Error::InvalidArguments("`whom` is missing".to_owned()))?;
        let message = |role, text| prompts::Message { role, text };
        let messages = vec![
            message(prompts::Role::User, format!("Greet {whom}.")),
            message(prompts::Role::Assistant, format!("Hello, {whom}!")),
        ];
        Ok(prompts::Content { description: None, messages })
    }
}

impl resources::Guest for Provider {
    fn list() -> Result<Vec<resources::Entry>, String> {
        Ok(vec![resources::Entry {
            uri: "provider://text".to_owned(),
            name: "A text".to_owned(),
            description: None,
            mime_type: Some("text/plain".to_owned()),
            size: Some(5),
        }])
    }

    fn templates() -> Result<Vec<resources::Template>, String> {
        Ok(vec![resources::Template {
            uri_template: "provider://day/{date}".to_owned(),
            name: "A day".to_owned(),
            description: Some("What was on it.".to_owned()),
            mime_type: None,
        }])
    }

    fn read(uri: String) -> Result<resources::Content, resources::Error> {
        let content = |body| Ok(resources::Content { uri: uri.clone(), mime_type: None, body });
        match uri.as_str() {
            "provider://text" => content(resources::Body::Text("hello".to_owned())),
            "provider://bytes" => content(resources::Body::Blob(vec![0, 255])),
            "provider://broken" => Err(resources::Error::Failed("the disk is full".to_owned())),
            _ => Err(resources::Error::NotFound(uri)),
        }
    }
}

impl workflow::Guest for Provider {
    fn run(input: String) -> Result<String, workflow::Error> {
        match mode().as_str() {
            "nonsense" => Ok("not JSON".to_owned()),
            "refuses" => Err(workflow::Error::InvalidInput("it wants something else".to_owned())),
            _ => Ok(format!("{{\"ran\": {input}}}")),
        }
    }
}

export!(Provider);
