//! Which paths of a URL a rule speaks of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Paths of URLs: a prefix such as `/v1`, which means the path and all below it,
/// or a glob such as `/v1/*/items`, in which `*` is one segment and `**` any
/// number of them, and which means whole paths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern(String);

/// One piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// This segment.
    Literal(&'a str),
    /// Any one segment, if it is not empty.
    One,
    /// Any number of segments, none included.
    Any,
}

impl PathPattern {
    /// The prefix of every path.
    pub fn every() -> Self {
        Self("/".to_owned())
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern, as part of a rule that allows, means `path`. A path
    /// that climbs (`..`, also percent-encoded) is meant by none, because the
    /// server might resolve it.
    pub fn allows(&self, path: &str) -> bool {
        if !path.starts_with('/') || readings(path).any(|path| climbs(&path)) {
            return false;
        }
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        fits(&self.pieces(), &segments, |piece, segment| match piece {
            Piece::Literal(literal) => literal == segment,
            Piece::One => !segment.is_empty(),
            Piece::Any => true,
        })
    }

    /// Whether the pattern, as part of a rule that denies, means `path` in any form
    /// in which a server might read it: percent-encoded, with doubled slashes, with
    /// parameters behind `;`, which it may drop or keep, in upper case. A path that
    /// climbs is meant by each.
    pub fn denies(&self, path: &str) -> bool {
        let own = Self(self.0.split('/').map(decoded).collect::<Vec<_>>().join("/"));
        let mut pieces = own.pieces();
        pieces.retain(|piece| *piece != Piece::Literal(""));
        // A star of the path is itself, as `%2A` is in the pattern.
        let path = path.replace('*', "%2A");
        readings(&path).any(|path| climbs(&path) || may_fit(&pieces, &path))
    }

    /// Whether every path that `other` means is one that this pattern means. It may
    /// say no where a proof would be long, and never says yes where it is no.
    pub fn covers(&self, other: &Self) -> bool {
        fits(&self.pieces(), &other.pieces(), |piece, other| match (piece, other) {
            (Piece::Any, _) | (Piece::One, Piece::One) => true,
            (_, Piece::Any) | (Piece::Literal(_), Piece::One) => false,
            (Piece::One, Piece::Literal(literal)) => !literal.is_empty(),
            (Piece::Literal(one), Piece::Literal(other)) => one == other,
        })
    }

    fn pieces(&self) -> Vec<Piece<'_>> {
        let glob = self.0.contains('*');
        let text = self.0.strip_prefix('/').unwrap_or(&self.0);
        // A prefix means the same with and without a slash at its end.
        let text = if glob { text } else { text.strip_suffix('/').unwrap_or(text) };
        let piece = |segment| match segment {
            "*" => Piece::One,
            "**" => Piece::Any,
            literal => Piece::Literal(literal),
        };
        let mut pieces: Vec<Piece<'_>> = text.split('/').map(piece).collect();
        if !glob {
            // `//` is another path than `/`, and not the prefix of every path.
            if self.0 == "/" {
                pieces.clear();
            }
            pieces.push(Piece::Any);
        }
        pieces
    }
}

/// Whether `pieces` mean all of `items`. Where a later piece does not fit, the last
/// [`Piece::Any`] takes one item more, so that the work is at the most the product
/// of both lengths.
fn fits<T>(pieces: &[Piece<'_>], items: &[T], one: impl Fn(&Piece<'_>, &T) -> bool) -> bool {
    let (mut piece, mut item) = (0, 0);
    // Where to go on if what follows does not fit: behind the last `Any`, and at which item.
    let mut retry: Option<(usize, usize)> = None;
    while item < items.len() {
        match (pieces.get(piece), items.get(item)) {
            (Some(Piece::Any), _) => {
                retry = Some((piece + 1, item));
                piece += 1;
            }
            (Some(found), Some(next)) if one(found, next) => {
                piece += 1;
                item += 1;
            }
            _ => {
                // What the last `Any` takes must itself be taken by it.
                let Some((behind, from)) = retry else { return false };
                if !items.get(from).is_some_and(|taken| one(&Piece::Any, taken)) {
                    return false;
                }
                retry = Some((behind, from + 1));
                (piece, item) = (behind, from + 1);
            }
        }
    }
    pieces.iter().skip(piece).all(|piece| *piece == Piece::Any)
}

/// How often a path is decoded: once as servers do, and once more for a proxy before it.
const READINGS: usize = 3;

/// The path as it is, and as one or two servers behind each other would decode it.
fn readings(path: &str) -> impl Iterator<Item = String> {
    let next = |path: &String| Some(decoded(path)).filter(|decoded| decoded != path);
    std::iter::successors(Some(path.to_owned()), next).take(READINGS)
}

/// Whether a server might resolve the path to another one.
fn climbs(path: &str) -> bool {
    let segment = |segment: &str| {
        // Some servers cut parameters off before they look at the dots.
        let bare = segment.split(';').next().unwrap_or_default();
        matches!(bare.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
    };
    let lower = path.to_ascii_lowercase();
    path.split('/').any(segment) || path.contains('\\') || lower.contains("%2f") || lower.contains("%5c")
}

/// Whether `pieces` mean the path as some server might resolve it: with or without
/// the parameters of each segment, and with or without those segments that are
/// nothing but parameters. One that is empty says nothing.
///
/// Every place in the pattern that can be reached is followed at once, so that the
/// work is at the most the product of both lengths.
fn may_fit(pieces: &[Piece<'_>], path: &str) -> bool {
    let mut reached = vec![false; pieces.len() + 1];
    reached[0] = true;
    pass_any(pieces, &mut reached);
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let mut next = if segment.starts_with(';') { reached.clone() } else { vec![false; reached.len()] };
        for (place, piece) in pieces.iter().enumerate().filter(|(place, _)| reached[*place]) {
            match piece {
                Piece::Any => next[place] = true,
                Piece::One => next[place + 1] = true,
                Piece::Literal(literal) => next[place + 1] |= begins_with(segment, literal),
            }
        }
        pass_any(pieces, &mut next);
        reached = next;
    }
    reached[pieces.len()]
}

/// Whether a segment is `literal`, perhaps with more parameters behind it.
fn begins_with(segment: &str, literal: &str) -> bool {
    let (length, bytes) = (literal.len(), segment.as_bytes());
    let same = segment.get(..length).is_some_and(|head| head.eq_ignore_ascii_case(literal));
    same && matches!(bytes.get(length), None | Some(b';'))
}

/// Any number of segments may also be none.
fn pass_any(pieces: &[Piece<'_>], reached: &mut [bool]) {
    for (place, piece) in pieces.iter().enumerate() {
        if *piece == Piece::Any && reached[place] {
            reached[place + 1] = true;
        }
    }
}

/// The text without percent-encoding, but for a star, which would become a wildcard.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match (first, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| (high << 4) | low),
            _ => None,
        };
        match code {
            Some(b'*') => bytes.extend_from_slice(b"%2A"),
            code => bytes.push(code.unwrap_or(*first)),
        }
        rest = if code.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.0
    }
}

/// The text is not a pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path of a URL: {expected}")]
pub struct InvalidPath {
    text: String,
    expected: &'static str,
}

impl InvalidPath {
    /// What would have been right, such as `expected a path that begins with …`.
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}

impl FromStr for PathPattern {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(expected) => Err(InvalidPath { text: text.to_owned(), expected }),
        }
    }
}

impl TryFrom<String> for PathPattern {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// What was expected in place of `text`. A pattern that climbs or holds a query
/// would mean no path.
fn fault(text: &str) -> Option<&'static str> {
    if !text.starts_with('/') {
        return Some("expected a path that begins with `/`, such as `/v1`");
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || "?#\\".contains(c)) {
        return Some("expected a path without `?`, `#`, `\\` and spaces: a rule speaks of paths alone");
    }
    if readings(text).any(|text| climbs(&text)) {
        return Some("expected a path without the segments `.` and `..`, and without `%2F` and `%5C`");
    }
    if text.split('/').any(|segment| segment.contains('*') && !matches!(segment, "*" | "**")) {
        return Some("expected `*` and `**` as whole segments, as in `/v1/*/items`; a star itself is `%2A`");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        text.parse().expect(text)
    }

    #[test]
    fn a_prefix_means_what_is_below_it_by_whole_segments() {
        for (prefix, inside, outside) in [
            ("/v1", ["/v1", "/v1/", "/v1/x/y"], ["/v10", "/v2", "/"]),
            ("/v1/", ["/v1", "/v1/", "/v1/x"], ["/v1x", "/V1", "/w/v1"]),
            ("/", ["/", "/a", "//a"], ["", "a", "/a/../b"]),
            ("//", ["/", "//", "//a"], ["/a", "/a/b", "/a//b"]),
        ] {
            assert!(inside.iter().all(|path| pattern(prefix).allows(path)), "{prefix}");
            assert!(!outside.iter().any(|path| pattern(prefix).allows(path)), "{prefix}");
        }
    }

    #[test]
    fn a_glob_means_whole_paths() {
        for (glob, inside, outside) in [
            ("/v1/*/items", vec!["/v1/a/items"], vec!["/v1/items", "/v1//items", "/v1/a/b/items", "/v1/a/items/7"]),
            ("/v1/*", vec!["/v1/a"], vec!["/v1", "/v1/", "/v1/a/b"]),
            ("/**", vec!["/", "/a", "/a/b/c"], vec!["/a/../b"]),
            ("/v1/**", vec!["/v1", "/v1/", "/v1/a/b"], vec!["/v10", "/v2"]),
            ("/**/raw", vec!["/raw", "/a/raw", "/a/b/raw", "/raw/raw"], vec!["/raw/a", "/rawer"]),
            ("/a/**/b/*/c", vec!["/a/b/x/c", "/a/x/y/b/z/c", "/a/b/b/x/c"], vec!["/a/b/c", "/a/b/x/c/d", "/b/x/c"]),
        ] {
            for path in inside {
                assert!(pattern(glob).allows(path), "{glob} {path}");
            }
            for path in outside {
                assert!(!pattern(glob).allows(path), "{glob} {path}");
            }
        }
    }

    #[test]
    fn what_a_server_could_resolve_elsewhere_is_never_allowed() {
        for path in ["/v1/../v2", "/v1/%2e%2E/v2", "/v1/..%2fv2", "/v1/a\\..\\b", "/v1/..;/v2", "/v1/%252e%252e/v2"] {
            assert!(!pattern("/v1").allows(path), "{path}");
            assert!(!pattern("/**").allows(path), "{path}");
            assert!(pattern("/other").denies(path), "{path}");
        }
    }

    #[test]
    fn a_denied_path_is_denied_in_every_form() {
        let admin = pattern("/v1/admin");
        for path in [
            "/v1/admin",
            "/v1/admin/",
            "/v1/admin/users",
            "/v1/%61dmin",
            "/V1/Admin",
            "/v1/%2561dmin",
            "//v1//admin",
            "/v1/admin;x=1/users",
            "/%76%31/admin",
        ] {
            assert!(admin.denies(path), "{path}");
        }
        for path in ["/v1", "/v1/administrator", "/v2/admin", "/"] {
            assert!(!admin.denies(path), "{path}");
        }
        assert!(pattern("/%61dmin").denies("/admin"));
        assert!(pattern("/a%2Ab").denies("/a%2ab/c") && !pattern("/%2A").denies("/c"));
        assert!(pattern("/v1/*/items").denies("/v1/7/items/"));
        assert!(!pattern("/v1/*/items").denies("/v1/7/items/8"));
        assert!(pattern("/**").denies("/") && pattern("/").denies("/a"));
    }

    #[test]
    fn a_denied_path_is_denied_with_parameters_and_stars_of_its_own() {
        for (denied, path) in [
            // Parameters that a server keeps, as the pattern has them.
            ("/v1/a;b", "/v1/a;b"),
            ("/v1/a;b", "/v1/A;B;c/d"),
            ("/v1/%3Bb", "/v1/;b"),
            // A segment of nothing but parameters is one to a server that keeps them.
            ("/v1/*/keys", "/v1/;x/keys"),
            ("/v1/*/*/keys", "/v1/;x/7/keys"),
            ("/v1/keys", "/v1/;x/keys;y"),
            ("/%2A", "/*"),
            ("/v1/%2a/keys", "/v1/*/keys"),
        ] {
            assert!(pattern(denied).denies(path), "{denied} {path}");
        }
        assert!(!pattern("/v1/a;b").denies("/v1/a") && !pattern("/v1/a;b").denies("/v1/a;bc"));
        assert!(!pattern("/v1/*/keys").denies("/v1/keys"));
    }

    #[test]
    fn a_pattern_covers_what_means_no_more() {
        let covers = |one: &str, other: &str| pattern(one).covers(&pattern(other));
        for (one, other) in [
            ("/", "/v1"),
            ("/v1", "/v1/"),
            ("/v1", "/v1/*/items"),
            ("/**", "/v1"),
            ("/v1/**", "/v1"),
            ("/v1/*/items", "/v1/*/items"),
            ("/**/items", "/v1/*/items"),
            ("/**/items", "/**/x/items"),
        ] {
            assert!(covers(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("/v1", "/"),
            ("//", "/v1"),
            ("/v1", "/v10"),
            ("/v1", "/*/x"),
            // A prefix means all below it too, which a glob without `**` at its end does not.
            ("/v1/*", "/v1/a"),
            ("/v1/*/items", "/v1/a/items"),
            ("/v1/*/items", "/v1/**/items"),
            ("/**/items", "/**"),
            ("/a/**/b", "/**/b"),
        ] {
            assert!(!covers(one, other), "{one} {other}");
        }
    }

    #[test]
    fn patterns_can_match() {
        for good in ["/", "/v1", "/v1/", "/a.b/%20", "/*", "/**", "/v1/*/items", "/v1/**/x/*", "/%2A"] {
            assert!(good.parse::<PathPattern>().is_ok(), "{good}");
        }
        for bad in
            ["", "v1", "/a?b", "/a#b", "/a b", "/a/../b", "/%2E%2e/b", "/./a", "/a\\b", "/a*", "/v1/***", "/a%2fb"]
        {
            assert!(bad.parse::<PathPattern>().is_err(), "{bad}");
        }
    }
}
