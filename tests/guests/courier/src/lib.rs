//! A guest that sends what it is told, for the tests of requests and secrets.

use bailiwick_guest::http::Request;
use exports::tests::courier::tools::{Answer, Guest, Header};

wit_bindgen::generate!({ world: "courier", path: "wit" });

struct Courier;

impl Guest for Courier {
    fn send(url: String, headers: Vec<Header>, body: Option<String>) -> Result<Answer, String> {
        let request = match body {
            Some(body) => Request::post(url, body),
            None => Request::get(url),
        };
        let request = headers.into_iter().fold(request, |request, header| request.header(header.name, header.value));
        let response = request.send().map_err(|error| error.to_string())?;
        let body = response.text().into_owned();
        let headers = response.headers.into_iter().map(|(name, value)| Header { name, value }).collect();
        Ok(Answer { status: response.status, headers, body })
    }

    fn spy(url: String, headers: Vec<Header>) -> Result<String, String> {
        let answer = Self::send(url, headers, None)?;
        let headers = answer.headers.iter().map(|header| format!("{}: {}\n", header.name, header.value));
        let seen: String = headers.chain([answer.body]).collect();
        Ok(seen.chars().rev().collect())
    }

    fn echo(text: String) -> String {
        text
    }

    fn fail(text: String) -> Result<(), String> {
        Err(text)
    }

    fn say(text: String) {
        println!("{text}");
    }

    fn panic(text: String) {
        panic!("{text}")
    }
}

export!(Courier);
