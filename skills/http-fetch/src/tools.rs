//! What each tool does with its arguments.

use url::Url;

use crate::arguments::{PAGE_BYTES, Wanted, web_url};
use crate::charset::{self, Kind};
use crate::exchange::{Answer, Excess, send};
use crate::exports::bailiwick::http_fetch::tools::{Failure, Header, JsonResponse, Link, Method, Page, Response};
use crate::html::page::{self, Part};

/// How much of a body that is not what it should be is shown in the failure.
const SHOWN_CHARS: usize = 80;

/// What is wanted, and last anything else: what a strict server sends in its
/// place explains more than its refusal would.
const ACCEPT_ANY: &str = "*/*";
const ACCEPT_HTML: &str = "text/html, application/xhtml+xml, */*;q=0.1";
const ACCEPT_JSON: &str = "application/json, */*;q=0.1";

pub fn fetch(wanted: Wanted) -> Result<Response, Failure> {
    let request = wanted.check()?;
    let Answer { url, response } = send(&request, ACCEPT_ANY, Excess::Cut)?;
    let content_type = response.header("content-type").map(str::to_owned);
    let (body, binary) = if request.method == Method::Head {
        (String::new(), None)
    } else {
        match charset::decode(content_type.as_deref(), &response.body) {
            Some(text) => (text, None),
            None => (String::new(), Some(response.body)),
        }
    };
    let headers = response.headers.into_iter();
    Ok(Response {
        status: response.status,
        final_url: url.into(),
        headers: headers.map(|(name, value)| Header { name: name.to_ascii_lowercase(), value }).collect(),
        content_type,
        body,
        binary,
        truncated: response.truncated,
    })
}

pub fn extract_text(wanted: Wanted, whole_page: bool) -> Result<Page, Failure> {
    let request = wanted.check()?;
    let Answer { url, response } = send(&request, ACCEPT_HTML, Excess::Cut)?;
    if !response.is_success() {
        return Err(Failure::Status(format!("`{url}` answered with status {}", response.status)));
    }
    let content_type = response.header("content-type");
    if !is_html(content_type, &response.body) {
        return Err(Failure::NotHtml(format!(
            "`{url}` has the content type `{}`; take `fetch` for what is not HTML",
            content_type.unwrap_or("unknown")
        )));
    }
    let html = charset::decode_html(content_type, &response.body);
    let mut page = read_page(&html, Some(&url), whole_page);
    page.truncated |= response.truncated;
    let language = response.header("content-language");
    page.language = page.language.or_else(|| language.map(str::to_owned));
    Ok(page)
}

pub fn html_to_text(html: &str, base_url: Option<&str>, whole_page: bool) -> Result<Page, Failure> {
    if html.len() > PAGE_BYTES.most() {
        return Err(Failure::TooLarge(format!(
            "the HTML has {} bytes; at most {} are read",
            html.len(),
            PAGE_BYTES.most()
        )));
    }
    let base = base_url.map(web_url).transpose()?;
    Ok(read_page(html, base.as_ref(), whole_page))
}

pub fn json(wanted: Wanted) -> Result<JsonResponse, Failure> {
    let request = wanted.check()?;
    let Answer { url, response } = send(&request, ACCEPT_JSON, Excess::Fail)?;
    let not_json = |why: &dyn std::fmt::Display| {
        let shown: String = response.text().chars().take(SHOWN_CHARS).collect();
        Failure::NotJson(format!(
            "`{url}` answered with status {} and the content type `{}`, and its body is not JSON: {why}; it begins {shown:?}",
            response.status,
            response.header("content-type").unwrap_or("unknown"),
        ))
    };
    let text = std::str::from_utf8(&response.body).map_err(|error| not_json(&error))?;
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| not_json(&error))?;
    Ok(JsonResponse { status: response.status, json: text.to_owned(), final_url: url.into() })
}

/// Servers that do not name the type of a page mostly send HTML, and HTML shows
/// itself by its first tag.
fn is_html(content_type: Option<&str>, body: &[u8]) -> bool {
    match charset::kind(content_type) {
        Kind::Html => true,
        Kind::Unknown => body.trim_ascii_start().starts_with(b"<"),
        _ => false,
    }
}

fn read_page(html: &str, url: Option<&Url>, whole_page: bool) -> Page {
    let part = if whole_page { Part::Whole } else { Part::Main };
    let page = page::read(html, url, part);
    let links = page.links.into_iter();
    Page {
        url: url.map(Url::to_string),
        title: page.title,
        description: page.description,
        language: page.language,
        text: page.text,
        links: links.map(|link| Link { text: link.text, url: link.url }).collect(),
        truncated: page.truncated,
    }
}
