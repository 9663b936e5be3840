//! A sandbox whose components are JSON, and whose tools do what their argument says.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick_domain::component::{ComponentError, Inspection};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::permit::Permit;
use bailiwick_domain::receipt::Denial;
use bailiwick_domain::sandbox::{BoxFuture, InvokeError, Outcome, Output, Sandbox, ScratchFolder};
use bailiwick_domain::services::Services;
use bailiwick_domain::usage::Usage;
use bailiwick_domain::wit::{Answer, Field, ToolSignature, WitType};
use serde_json::Value;
use tokio::sync::Notify;

/// What the host must keep to itself.
pub(crate) const SECRET: &str = "/secret/folder/of/the/host";

/// Runs nothing, and answers as it is told.
#[derive(Default)]
pub(crate) struct FakeSandbox {
    /// A call that says `wait` ends when this is told.
    pub(crate) go: Notify,
    /// What the calls were given.
    pub(crate) seen: Mutex<Vec<Value>>,
}

impl Sandbox for FakeSandbox {
    /// The file holds the names of tools, one a line.
    fn load(&self, path: &Path) -> Result<Arc<Inspection>, ComponentError> {
        let bytes = std::fs::read(path).map_err(|error| ComponentError::Unreadable(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| ComponentError::CoreModule)?;
        if text.starts_with("broken") {
            return Err(ComponentError::CoreModule);
        }
        Ok(Arc::new(Inspection {
            digest: Digest::of(text.as_bytes()),
            size: text.len() as u64,
            imports: vec!["wasi:clocks/wall-clock@0.2.6".to_owned()],
            tools: text.lines().map(signature).collect(),
            provided: vec![],
        }))
    }

    fn is_quick(&self, _: &Path) -> bool {
        true
    }

    fn retain(&self, _: &dyn Fn(&Digest) -> bool) {}

    fn scratch(&self) -> std::io::Result<Box<dyn ScratchFolder>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    fn invoke<'a>(&'a self, _: Permit, _: usize, arguments: &'a Value, _: Arc<dyn Services>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            self.seen.lock().expect("unpoisoned").push(arguments.clone());
            let result = match &arguments["text"] {
                Value::String(text) => self.act(text).await,
                Value::Null => Ok(Output::Success("null".to_owned())),
                other => Err(InvokeError::Arguments {
                    path: "/text".to_owned(),
                    problem: format!("expected string, found {other}"),
                }),
            };
            let denial =
                Denial { capability: "http", request: "GET https://example.com".into(), reason: "no grant".into() };
            Outcome {
                result,
                usage: Usage { wall: Duration::from_micros(1500), memory_bytes: 65536, ..Usage::default() },
                denials: vec![denial],
                used: vec![],
                log: SECRET.to_owned(),
            }
        })
    }
}

impl FakeSandbox {
    async fn act(&self, text: &str) -> Result<Output, InvokeError> {
        Err(match text {
            "fail" => return Ok(Output::Failure(r#"{"denied":"asked to fail"}"#.to_owned())),
            "wait" => {
                self.go.notified().await;
                return Ok(Output::Success("\"waited\"".to_owned()));
            }
            "arguments" => InvokeError::Arguments { path: "/text".to_owned(), problem: "expected less".to_owned() },
            "no-permit" => InvokeError::NoPermit,
            "not-loaded" => InvokeError::NotLoaded(SECRET.to_owned()),
            "full" => InvokeError::Full,
            "mount" => InvokeError::Mount { root: "/work".to_owned(), reason: "no such folder".to_owned() },
            "deadline" => InvokeError::Deadline { millis: 7 },
            "fuel" => InvokeError::Fuel(7),
            "memory" => InvokeError::Memory(7),
            "large" => InvokeError::OutputTooLarge(7),
            "exit" => InvokeError::Exit { status: 7, said: None },
            "trap" => InvokeError::Trap { message: "unreachable".to_owned(), backtrace: vec![], said: None },
            "invalid" => InvokeError::InvalidOutput("not a char".to_owned()),
            "host" => InvokeError::Host(SECRET.to_owned()),
            _ => return Ok(Output::Success(Value::String(text.to_owned()).to_string())),
        })
    }
}

fn signature(name: &str) -> ToolSignature {
    let text = Field { name: "text".to_owned(), ty: WitType::Option(Box::new(WitType::String)), docs: None };
    ToolSignature {
        name: name.to_owned(),
        interface: Some("acme:fake/tools@0.1.0".to_owned()),
        function: name.to_owned(),
        docs: Some(format!("Does {name}.")),
        params: vec![text],
        answer: Answer::Fallible { ok: Some(WitType::String), err: Some(WitType::String) },
    }
}
