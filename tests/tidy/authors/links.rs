//! Links of every document lead somewhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{files, root};

#[test]
fn links_of_documents_lead_somewhere() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for document in files(&root(), "md") {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            seen += 1;
            if let Err(problem) = follow(&document, link) {
                broken.push(format!("{}: {link}: {problem}", document.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(seen > 80, "there were only {seen} links");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn headings_become_anchors_as_readers_make_them() {
    let text = "# SKILL.md\n## What's `it` for?\n```sh\n# no heading\n```\n## A, b\n## A b\n";
    let expected = ["skillmd", "whats-it-for", "a-b", "a-b-1"];
    assert_eq!(anchors(text), expected);
    assert_eq!(
        links("[a](b.md#c) `[no](link)` ![i](d.svg)\n```\n[no](link)\n```\n").collect::<Vec<_>>(),
        ["b.md#c", "d.svg"]
    );
}

/// Where inline links lead, without those that stand in code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| {
        let spoken = line.split('`').step_by(2);
        spoken.flat_map(|part| part.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link)))
    })
}

/// The lines outside of fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fence = 0;
    text.lines().filter(move |line| {
        let line = line.trim_start();
        let ticks = line.len() - line.trim_start_matches('`').len();
        if ticks >= 3 && (fence == 0 || ticks >= fence) {
            fence = if fence == 0 { ticks } else { 0 };
            return false;
        }
        fence == 0
    })
}

fn follow(document: &Path, link: &str) -> Result<(), String> {
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { document.to_owned() } else { document.parent().unwrap().join(path) };
    if !target.exists() {
        return Err("there is no such file".to_owned());
    }
    match anchor {
        Some(anchor) if !anchors(&fs::read_to_string(target).unwrap()).iter().any(|known| known == anchor) => {
            Err("the file has no such heading".to_owned())
        }
        _ => Ok(()),
    }
}

/// The anchors of a document's headings: their letters, digits and hyphens, in lower case.
fn anchors(text: &str) -> Vec<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).filter_map(|line| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then(|| title.trim())
    });
    let anchor = |title: &str| {
        let kept =
            title.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
        let anchor = kept.replace(' ', "-");
        let before = times.entry(anchor.clone()).or_default();
        *before += 1;
        if *before == 1 { anchor } else { format!("{anchor}-{}", *before - 1) }
    };
    headings.map(anchor).collect()
}
