//! A page as a reader sees it: title, description, language, text and links.

use std::collections::HashSet;

use url::Url;

use super::content::Selection;
use super::dom::{DOCUMENT, Descend, Document, Kind, NodeId, Visit};
use super::parse::parse;
use super::render::{inline_text, render};

pub struct Page {
    pub title: Option<String>,
    pub description: Option<String>,
    pub language: Option<String>,
    pub text: String,
    pub links: Vec<Link>,
    /// Whether the page went beyond a limit, so that its end is missing.
    pub truncated: bool,
}

pub struct Link {
    pub text: String,
    pub url: String,
}

/// Which part of a page to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Main,
    Whole,
}

/// More links than a reader can follow; pages with more are indexes.
const MAX_LINKS: usize = 1000;

/// Longer addresses carry data rather than lead somewhere.
const MAX_LINK_BYTES: usize = 2048;

/// A link around whole blocks repeats their text; its beginning says which it is.
const MAX_LINK_TEXT_CHARS: usize = 300;

/// Titles and descriptions are a line or two; longer ones are cut.
const MAX_META_CHARS: usize = 1000;

/// Reads a page. `url` is where it was found, which relative links start from.
pub fn read(html: &str, url: Option<&Url>, part: Part) -> Page {
    let parsed = parse(html);
    let document = &parsed.document;
    let selection = match part {
        Part::Main => Selection::main(document),
        Part::Whole => Selection::whole(document),
    };
    let head = Head::of(document);
    let base = head.base(url);
    let rendered = render(document, &selection);
    Page {
        text: rendered.text,
        links: links(document, &selection, base.as_ref()),
        title: head.title.or(head.og_title),
        description: head.description.or(head.og_description),
        language: head.language.or(head.http_language),
        truncated: parsed.truncated || rendered.truncated,
    }
}

/// What a document says about itself. Of each the first that is not empty.
#[derive(Default)]
struct Head {
    title: Option<String>,
    og_title: Option<String>,
    description: Option<String>,
    og_description: Option<String>,
    language: Option<String>,
    http_language: Option<String>,
    base: Option<String>,
}

impl Head {
    fn of(document: &Document) -> Self {
        let mut head = Head::default();
        document.walk(DOCUMENT, |visit| {
            if let Visit::Enter(id) = visit {
                match document.name(id) {
                    "html" => set(&mut head.language, document.attribute(id, "lang")),
                    "base" => set(&mut head.base, document.attribute(id, "href")),
                    "title" => set(&mut head.title, Some(&text_of(document, id))),
                    "meta" => head.meta(document, id),
                    _ => {}
                }
            }
            Descend::Yes
        });
        head
    }

    fn meta(&mut self, document: &Document, id: NodeId) {
        let content = document.attribute(id, "content");
        let named = |attribute: &str| {
            let name = document.attribute(id, attribute).unwrap_or("");
            name.trim().to_ascii_lowercase()
        };
        if named("name") == "description" {
            set(&mut self.description, content);
        }
        match named("property").as_str() {
            "og:title" => set(&mut self.og_title, content),
            "og:description" => set(&mut self.og_description, content),
            _ => {}
        }
        if named("http-equiv") == "content-language" {
            set(&mut self.http_language, content);
        }
    }

    /// What relative links start from: the document's own `base`, which may be
    /// relative itself, or where the document was found.
    fn base(&self, url: Option<&Url>) -> Option<Url> {
        let own = self.base.as_deref();
        match (own, url) {
            (Some(own), Some(url)) => url.join(own).ok().or_else(|| Some(url.clone())),
            (Some(own), None) => Url::parse(own).ok(),
            (None, url) => url.cloned(),
        }
    }
}

fn set(slot: &mut Option<String>, value: Option<&str>) {
    if slot.is_some() {
        return;
    }
    let words = value.unwrap_or("").split_whitespace();
    let text: String = words.collect::<Vec<_>>().join(" ");
    if !text.is_empty() {
        *slot = Some(text.chars().take(MAX_META_CHARS).collect());
    }
}

fn text_of(document: &Document, id: NodeId) -> String {
    document
        .children(id)
        .filter_map(|child| match document.kind(child) {
            Kind::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// The links of the selected part in reading order, each address once.
fn links(document: &Document, selection: &Selection, base: Option<&Url>) -> Vec<Link> {
    let mut links = Vec::new();
    let mut seen = HashSet::new();
    selection.walk(document, |visit| {
        if links.len() == MAX_LINKS {
            return Descend::No;
        }
        if let Visit::Enter(id) = visit
            && document.name(id) == "a"
            && let Some(url) = document.attribute(id, "href").and_then(|href| absolute(href, base))
            && seen.insert(url.clone())
        {
            let text = inline_text(document, selection, id);
            links.push(Link { text: text.chars().take(MAX_LINK_TEXT_CHARS).collect(), url });
        }
        Descend::Yes
    });
    links
}

/// The address that a link leads to; none for what leads nowhere else: places on
/// the same page, scripts and data.
fn absolute(href: &str, base: Option<&Url>) -> Option<String> {
    let href = href.trim();
    if href.is_empty() || href.starts_with('#') || href.len() > MAX_LINK_BYTES {
        return None;
    }
    let url = match base {
        Some(base) => base.join(href).ok()?,
        None => Url::parse(href).ok()?,
    };
    let leads_somewhere = matches!(url.scheme(), "http" | "https" | "mailto" | "tel" | "ftp" | "ftps");
    (leads_somewhere && url.as_str().len() <= MAX_LINK_BYTES).then(|| url.into())
}
