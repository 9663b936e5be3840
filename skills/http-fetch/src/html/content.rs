//! Which part of a document is its content.

use super::dom::{DOCUMENT, Descend, Document, Kind, NodeId, PerNode, Visit};

/// A part of a document: a root, and what to leave out below it.
pub struct Selection {
    pub root: NodeId,
    dropped: PerNode<bool>,
}

/// Elements that show no text, or whose text is no part of the content.
const INVISIBLE: [&str; 22] = [
    "applet", "area", "audio", "button", "canvas", "datalist", "dialog", "embed", "frameset", "head", "iframe",
    "input", "map", "noscript", "object", "rp", "rt", "script", "select", "style", "template", "textarea",
];

/// A drawing: what text it holds labels its parts.
const DRAWING: &str = "svg";

/// The landmarks around the content, as elements and as values of `role`.
const LANDMARKS: [&str; 4] = ["aside", "footer", "header", "nav"];
const LANDMARK_ROLES: [&str; 10] = [
    "alertdialog",
    "banner",
    "complementary",
    "contentinfo",
    "dialog",
    "menu",
    "menubar",
    "navigation",
    "search",
    "toolbar",
];

/// Words in `class` and `id` that name what stands around the content on pages
/// without landmarks.
const AROUND_WORDS: [&str; 28] = [
    "ad",
    "ads",
    "advert",
    "advertisement",
    "banner",
    "breadcrumb",
    "breadcrumbs",
    "consent",
    "cookie",
    "cookies",
    "footer",
    "gdpr",
    "masthead",
    "menu",
    "modal",
    "nav",
    "navbar",
    "navigation",
    "newsletter",
    "pager",
    "pagination",
    "popup",
    "promo",
    "related",
    "share",
    "sharing",
    "sidebar",
    "social",
];

/// The elements that such words are believed on.
const AROUND_ELEMENTS: [&str; 6] = ["div", "form", "ol", "section", "table", "ul"];

/// The elements that the search for the content goes down through.
const CONTAINERS: [&str; 10] = ["article", "body", "center", "div", "form", "section", "table", "tbody", "td", "tr"];

/// What documentation tools write behind a heading to link to it.
const PERMALINK_MARKS: [&str; 4] = ["#", "§", "¶", "🔗"];

/// A block named like a sidebar that holds more of the text than this is not
/// one: `has-sidebar` on the whole page is common.
const MAX_AROUND_SHARE: f64 = 0.3;

/// A single article is the content when it has this much of the text.
const MIN_ARTICLE_SHARE: f64 = 0.5;

/// A container is entered when it has this much of the text; what is left
/// outside is then most likely not content.
const MIN_CONTAINER_SHARE: f64 = 0.7;

/// With less text than this there is no menu to find, only a short page.
const MIN_TEXT_TO_NARROW: usize = 250;

/// From this share of link text on, the links are the content of a page.
const INDEX_LINK_SHARE: f64 = 0.5;

impl Selection {
    /// Everything that a reader sees.
    pub fn whole(document: &Document) -> Self {
        let mut dropped = PerNode::new(document, false);
        document.walk(DOCUMENT, |visit| match visit {
            Visit::Enter(id) if is_invisible(document, id) => {
                dropped[id] = true;
                Descend::No
            }
            _ => Descend::Yes,
        });
        Self { root: body(document), dropped }
    }

    /// The content without what stands around it: navigation, headers, footers,
    /// sidebars. Everything, where that would leave nothing.
    pub fn main(document: &Document) -> Self {
        let mut selection = Self::whole(document);
        selection.drop_landmarks(document);
        let everything = measure(document, &selection);
        selection.drop_named_around(document, &everything);
        let measures = measure(document, &selection);
        if let Some(root) = landmark_root(document, &selection, &measures) {
            selection.root = root;
        } else if measures[selection.root].is_prose() {
            selection.root = densest_container(document, &selection, &measures);
        }
        if measures[selection.root].is_empty() {
            return Self::whole(document);
        }
        selection
    }

    pub fn has_dropped(&self, id: NodeId) -> bool {
        self.dropped[id]
    }

    /// Walks what is selected, from the root down.
    pub fn walk(&self, document: &Document, mut visit: impl FnMut(Visit) -> Descend) {
        document.walk(self.root, |event| match event {
            Visit::Enter(id) | Visit::Leave(id) if self.dropped[id] => Descend::No,
            event => visit(event),
        });
    }

    fn drop_landmarks(&mut self, document: &Document) {
        let mut inside_content = 0_usize;
        let dropped = &mut self.dropped;
        document.walk(self.root, |visit| {
            let (Visit::Enter(id) | Visit::Leave(id)) = visit;
            if dropped[id] {
                return Descend::No;
            }
            let content = matches!(document.name(id), "main" | "article");
            match visit {
                Visit::Leave(_) => inside_content -= usize::from(content),
                Visit::Enter(_) if is_landmark(document, id, inside_content > 0) => {
                    dropped[id] = true;
                    return Descend::No;
                }
                Visit::Enter(_) => inside_content += usize::from(content),
            }
            Descend::Yes
        });
    }

    fn drop_named_around(&mut self, document: &Document, measures: &PerNode<Measure>) {
        let root = self.root;
        let most = share(measures[root].text, MAX_AROUND_SHARE);
        let dropped = &mut self.dropped;
        document.walk(root, |visit| {
            let Visit::Enter(id) = visit else {
                return Descend::Yes;
            };
            dropped[id] |= id != root
                && AROUND_ELEMENTS.contains(&document.name(id))
                && measures[id].text <= most
                && !measures[id].has_content_landmark
                && is_named_around(document, id);
            if dropped[id] { Descend::No } else { Descend::Yes }
        });
    }
}

/// What stands in an element and below it, without what was dropped. Sizes are
/// in characters that are not white space.
#[derive(Clone, Default)]
struct Measure {
    /// Text outside links.
    text: usize,
    link_text: usize,
    has_h1: bool,
    has_content_landmark: bool,
}

impl Measure {
    fn add(&mut self, other: &Measure) {
        self.text += other.text;
        self.link_text += other.link_text;
        self.has_h1 |= other.has_h1;
        self.has_content_landmark |= other.has_content_landmark;
    }

    fn is_empty(&self) -> bool {
        self.text + self.link_text == 0
    }

    /// Whether there is text enough to tell content and menus apart.
    fn is_prose(&self) -> bool {
        self.text >= MIN_TEXT_TO_NARROW && self.link_share() < INDEX_LINK_SHARE
    }

    fn link_share(&self) -> f64 {
        match self.text + self.link_text {
            0 => 0.0,
            all => self.link_text as f64 / all as f64,
        }
    }
}

fn measure(document: &Document, selection: &Selection) -> PerNode<Measure> {
    let mut measures = PerNode::new(document, Measure::default());
    selection.walk(document, |visit| {
        match visit {
            Visit::Enter(id) => measures[id] = own_measure(document, id),
            Visit::Leave(id) => {
                if document.name(id) == "a" {
                    let inside = &mut measures[id];
                    inside.link_text += std::mem::take(&mut inside.text);
                }
                if id != selection.root
                    && let Some(parent) = document.parent(id)
                {
                    let inside = measures[id].clone();
                    measures[parent].add(&inside);
                }
            }
        }
        Descend::Yes
    });
    measures
}

fn own_measure(document: &Document, id: NodeId) -> Measure {
    let mut measure = Measure::default();
    if let Kind::Text(text) = document.kind(id) {
        measure.text = text.chars().filter(|c| !c.is_whitespace()).count();
    }
    match document.name(id) {
        "h1" => measure.has_h1 = true,
        "main" | "article" => measure.has_content_landmark = true,
        _ => {}
    }
    measure
}

fn body(document: &Document) -> NodeId {
    let html = document.children(DOCUMENT).find(|id| document.name(*id) == "html");
    html.and_then(|html| document.children(html).find(|id| document.name(*id) == "body")).unwrap_or(DOCUMENT)
}

fn is_invisible(document: &Document, id: NodeId) -> bool {
    let Some(element) = document.element(id) else {
        return false;
    };
    INVISIBLE.contains(&element.html_name())
        || is_permalink(document, id)
        || &*element.name.local == DRAWING
        || element.attribute("hidden").is_some()
        || element.attribute("aria-hidden") == Some("true")
        || element.attribute("style").is_some_and(hides)
}

/// Whether this is the mark behind a heading that links to the heading itself.
fn is_permalink(document: &Document, id: NodeId) -> bool {
    if document.name(id) != "a" {
        return false;
    }
    let href = document.attribute(id, "href").unwrap_or("");
    let mut children = document.children(id);
    match (children.next().map(|child| document.kind(child)), children.next()) {
        (Some(Kind::Text(text)), None) => href.starts_with('#') && PERMALINK_MARKS.contains(&text.trim()),
        _ => false,
    }
}

fn hides(style: &str) -> bool {
    style.split(';').any(|declaration| {
        declaration.split_once(':').is_some_and(|(name, value)| {
            let (name, value) = (name.trim(), value.trim());
            name.eq_ignore_ascii_case("display") && value.eq_ignore_ascii_case("none")
                || name.eq_ignore_ascii_case("visibility") && value.eq_ignore_ascii_case("hidden")
        })
    })
}

/// Inside the content, a header holds its title and a footer its sources.
fn is_landmark(document: &Document, id: NodeId, inside_content: bool) -> bool {
    let name = document.name(id);
    if inside_content && matches!(name, "header" | "footer") {
        return false;
    }
    LANDMARKS.contains(&name) || document.attribute(id, "role").is_some_and(|role| LANDMARK_ROLES.contains(&role))
}

fn is_named_around(document: &Document, id: NodeId) -> bool {
    ["class", "id"]
        .into_iter()
        .filter_map(|attribute| document.attribute(id, attribute))
        .flat_map(|value| value.split(|c: char| !c.is_ascii_alphanumeric()))
        .any(|word| AROUND_WORDS.iter().any(|around| around.eq_ignore_ascii_case(word)))
}

/// The one `main`, or the one `article` with much of the text.
fn landmark_root(document: &Document, selection: &Selection, measures: &PerNode<Measure>) -> Option<NodeId> {
    let mut mains = Vec::new();
    let mut articles = Vec::new();
    selection.walk(document, |visit| {
        let Visit::Enter(id) = visit else {
            return Descend::Yes;
        };
        if document.name(id) == "main" || document.attribute(id, "role") == Some("main") {
            mains.push(id);
        } else if document.name(id) == "article" {
            articles.push(id);
            return Descend::No;
        }
        Descend::Yes
    });
    let least = share(measures[selection.root].text, MIN_ARTICLE_SHARE);
    match (mains.as_slice(), articles.as_slice()) {
        ([main], _) if measures[*main].text > 0 => Some(*main),
        (_, [article]) if measures[*article].text >= least.max(1) => Some(*article),
        _ => None,
    }
}

/// Goes down from the body for as long as one container holds nearly all of the
/// text, and the headline with it.
fn densest_container(document: &Document, selection: &Selection, measures: &PerNode<Measure>) -> NodeId {
    let least = share(measures[selection.root].text, MIN_CONTAINER_SHARE);
    let mut at = selection.root;
    loop {
        let inner = document.children(at).find(|child| {
            CONTAINERS.contains(&document.name(*child))
                && !selection.has_dropped(*child)
                && measures[*child].text >= least.max(1)
                && measures[*child].has_h1 == measures[at].has_h1
        });
        match inner {
            Some(inner) => at = inner,
            None => return at,
        }
    }
}

fn share(of: usize, share: f64) -> usize {
    (of as f64 * share).ceil() as usize
}
