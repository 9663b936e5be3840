//! A client of the REST interface, which takes every status as an answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use ureq::http::{HeaderMap, Request, Response};
use ureq::{Agent, Body};

use crate::host::{PATIENCE, eventually};

/// Bytes of the largest answer: above what a tool may answer.
const MAX_ANSWER: u64 = 64 << 20;

/// Speaks to one server, as the owner of one key or of none.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    url: String,
    token: Option<String>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(url: String, token: Option<&str>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(2 * PATIENCE));
        Self { agent: config.build().new_agent(), url, token: token.map(str::to_owned) }
    }

    /// The same server by another key, or by none.
    pub(crate) fn by(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    /// `http://127.0.0.1:…`, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:…`.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body)
    }

    pub(crate) fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.send("POST", path, &headers, Some(body.to_string().as_bytes()))
    }

    /// Runs a tool.
    pub(crate) fn execute(&self, skill: &str, tool: &str, arguments: &Value) -> Answer {
        self.execute_with(skill, &[], &json!({ "tool": tool, "arguments": arguments }))
    }

    /// Runs what `body` says.
    pub(crate) fn execute_with(&self, skill: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.post_with(&format!("/v1/skills/{skill}/execute"), headers, body)
    }

    /// Runs a tool of a skill that may be busy with other calls.
    pub(crate) fn execute_when_free(&self, skill: &str, tool: &str, arguments: &Value) -> Answer {
        eventually("the skill is free", || Some(self.execute(skill, tool, arguments)).filter(|it| it.status != 429))
    }

    /// Waits until `tests/hostile`, which may make one call at a time, makes it.
    pub(crate) fn wait_until_busy(&self) -> Answer {
        let echo = || self.execute("tests/hostile", "echo", &json!({ "text": "" }));
        eventually("the call is under way", || Some(echo()).filter(|answer| answer.status == 429))
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answered = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        Answer::of(answered.unwrap_or_else(|error| panic!("{method} {path}: {error}")))
    }

    /// Sends bytes as they are on a connection of their own, and reads until the server closes it.
    pub(crate) fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // The server may close a connection whose request it did not read to the end.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Answer {
    fn of(mut response: Response<Body>) -> Self {
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().unwrap();
        Self { status: response.status().as_u16(), headers: response.headers().clone(), body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The document, if all went well.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        self.json()
    }

    /// What the tool answered, if it did.
    #[track_caller]
    pub(crate) fn output(&self) -> Value {
        self.ok()["output"].clone()
    }

    /// The problem document, if it is one with this code.
    #[track_caller]
    pub(crate) fn problem(&self, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["type"], format!("urn:bailiwick:problem:{code}"));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        for key in ["title", "detail"] {
            assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {problem}");
        }
        problem
    }
}
