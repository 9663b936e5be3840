//! The page about a skill as one HTML file, without a script and without a font of its own.

use bailiwick_skills::review::Review;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--no:#b3261e;--yes:#146c2e}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem;margin-bottom:0}h2{font-size:1rem;margin-top:2rem;border-bottom:1px solid var(--line)}\
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}\
.reach{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.6rem}\
.reach div{border:1px solid var(--line);border-radius:.5rem;padding:.6rem}\
.never{opacity:.65}.never b::before{content:'✕ ';color:var(--no)}.may b::before{content:'● ';color:var(--yes)}\
.bar{background:var(--yes);height:.5rem;border-radius:.25rem;min-width:2px}.unused{color:var(--no)}";

/// The whole page.
pub(super) fn html(review: &Review) -> String {
    let mut body = format!(
        "<h1>{} {}</h1><code>{}</code><p>{}</p>",
        escape(&review.skill),
        escape(&review.version),
        review.digest,
        match &review.problem {
            Some(problem) => format!("<b class=unused>{}</b>", escape(problem)),
            None => "granted".to_owned(),
        }
    );
    body.push_str("<h2>What it can reach at all, by its imports</h2><div class=reach>");
    for reach in &review.reach {
        let class = if reach.imported { "may" } else { "never" };
        let (capability, meaning) = (escape(&reach.capability), escape(&reach.meaning));
        body.extend(["<div class=", class, "><b>", &capability, "</b><br>", &meaning, "</div>"]);
    }
    body.push_str("</div><h2>Asked for</h2>");
    body.push_str(&list(review.asked.iter()));
    body.push_str("<h2>Granted, and used</h2>");
    body.push_str(&granted(review));
    body.push_str("<h2>Asked for and withheld</h2>");
    body.push_str(&list(review.withheld.iter()));
    body.extend(["<h2>Has done</h2><p>", &review.history.calls.to_string(), " calls</p>"]);
    let counts = |counts: &std::collections::BTreeMap<String, u64>| {
        let rows = counts.iter().map(|(what, count)| format!("{count} × {what}")).collect::<Vec<_>>();
        list(rows.iter())
    };
    body.push_str(&counts(&review.history.outcomes));
    body.push_str(&counts(&review.history.used));
    if !review.history.denials.is_empty() {
        body.push_str("<h2>Was denied</h2>");
        body.push_str(&counts(&review.history.denials));
    }
    body.push_str("<h2>Imports</h2>");
    body.push_str(&list(review.imports.iter()));
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{}</title><style>{STYLE}</style><body>{body}</body></html>\n",
        escape(&review.skill)
    )
}

fn granted(review: &Review) -> String {
    let Some(grant) = &review.grant else { return "<p>nothing</p>".to_owned() };
    let most = grant.terms.iter().filter_map(|term| term.used).max().unwrap_or_default().max(1);
    let rows: Vec<String> = grant
        .terms
        .iter()
        .map(|term| {
            let used = match term.used {
                None => "not observed".to_owned(),
                Some(0) => "<span class=unused>never used</span>".to_owned(),
                Some(calls) => format!("<div class=bar style=width:{}%></div>{calls} calls", calls * 100 / most),
            };
            format!("<tr><td>{}<td>{used}", escape(&term.term))
        })
        .collect();
    format!(
        "<p>by {} at {}</p><table><tr><th>term<th>used{}</table>",
        escape(&grant.giver),
        grant.given_at,
        rows.concat()
    )
}

fn list<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    let items: Vec<String> = lines.map(|line| format!("<li><code>{}</code>", escape(line))).collect();
    if items.is_empty() { "<p>nothing</p>".to_owned() } else { format!("<ul>{}</ul>", items.concat()) }
}

/// Text that was written by others must not become a part of the page.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_text() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    }
}
