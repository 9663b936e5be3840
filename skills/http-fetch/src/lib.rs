//! Reads web pages, HTTP resources and JSON APIs.

mod arguments;
mod charset;
mod coding;
mod exchange;
mod html;
mod tools;

wit_bindgen::generate!({ world: "skill", path: "wit" });

use exports::bailiwick::http_fetch::tools::{Failure, Guest, Header, JsonResponse, Method, Page, Response};

struct Skill;

export!(Skill);

impl Guest for Skill {
    fn fetch(
        url: String,
        method: Option<Method>,
        headers: Option<Vec<Header>>,
        timeout_ms: Option<u32>,
        max_bytes: Option<u32>,
        follow_redirects: Option<u8>,
    ) -> Result<Response, Failure> {
        let wanted = arguments::Wanted {
            url,
            method: method.unwrap_or(Method::Get),
            headers: headers.unwrap_or_default(),
            timeout_ms,
            max_bytes: arguments::FETCH_BYTES.check(max_bytes)?,
            follow_redirects,
        };
        tools::fetch(wanted)
    }

    fn extract_text(
        url: String,
        timeout_ms: Option<u32>,
        max_bytes: Option<u32>,
        whole_page: Option<bool>,
    ) -> Result<Page, Failure> {
        let wanted = arguments::Wanted {
            url,
            method: Method::Get,
            headers: Vec::new(),
            timeout_ms,
            max_bytes: arguments::PAGE_BYTES.check(max_bytes)?,
            follow_redirects: None,
        };
        tools::extract_text(wanted, whole_page.unwrap_or(false))
    }

    fn html_to_text(html: String, base_url: Option<String>, whole_page: Option<bool>) -> Result<Page, Failure> {
        tools::html_to_text(&html, base_url.as_deref(), whole_page.unwrap_or(false))
    }

    fn json(
        url: String,
        headers: Option<Vec<Header>>,
        timeout_ms: Option<u32>,
        max_bytes: Option<u32>,
    ) -> Result<JsonResponse, Failure> {
        let wanted = arguments::Wanted {
            url,
            method: Method::Get,
            headers: headers.unwrap_or_default(),
            timeout_ms,
            max_bytes: arguments::JSON_BYTES.check(max_bytes)?,
            follow_redirects: None,
        };
        tools::json(wanted)
    }
}
