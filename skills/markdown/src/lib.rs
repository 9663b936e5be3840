//! Reads and converts Markdown.

mod document;
mod front_matter;
mod links;
mod outline;
mod plain;
mod tables;

wit_bindgen::generate!({ world: "skill", path: "wit" });

use exports::bailiwick::markdown::tools::{Failure, FrontMatterBlock, Guest, Heading, Link, RawHtml, Table};

struct Skill;

export!(Skill);

impl Guest for Skill {
    fn to_html(
        markdown: String,
        raw_html: Option<RawHtml>,
        heading_ids: Option<bool>,
        hard_breaks: Option<bool>,
    ) -> Result<String, Failure> {
        let html = document::Html {
            raw_html: raw_html.unwrap_or(RawHtml::Drop),
            heading_ids: heading_ids.unwrap_or(false),
            hard_breaks: hard_breaks.unwrap_or(false),
        };
        document::to_html(&markdown, html)
    }

    fn outline(markdown: String) -> Result<Vec<Heading>, Failure> {
        document::read(&markdown, outline::headings)
    }

    fn tables(markdown: String) -> Result<Vec<Table>, Failure> {
        document::read(&markdown, tables::tables)
    }

    fn links(markdown: String) -> Result<Vec<Link>, Failure> {
        document::read(&markdown, links::links)
    }

    fn front_matter(markdown: String) -> Result<Option<FrontMatterBlock>, Failure> {
        front_matter::read(&markdown)
    }

    fn to_text(markdown: String, link_urls: Option<bool>) -> Result<String, Failure> {
        let link_urls = link_urls.unwrap_or(false);
        document::read(&markdown, |document| plain::text(document.root, link_urls))
    }
}
