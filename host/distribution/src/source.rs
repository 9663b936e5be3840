//! Where a package comes from: a path of this machine, or a place in a registry.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use bailiwick_domain::digest::Digest;

/// What begins the name of a place in a registry.
const SCHEME: &str = "oci://";

/// Bytes of a name of a repository, as the distribution specification has it.
const MAX_REPOSITORY: usize = 255;

/// Characters of a tag, as the distribution specification has it.
const MAX_TAG: usize = 128;

/// Bytes of the name of a host.
const MAX_HOST: usize = 253;

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder, or a tar.
    Path(PathBuf),
    /// A place in a registry.
    Registry(Reference),
}

/// A place in a registry: `oci://host[:port]/repository:tag`, or `@sha256:…` in place of the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The host, a name or an address; one of version 6 has no brackets here.
    pub host: String,
    /// The port, where it is not the usual one.
    pub port: Option<u16>,
    /// The repository.
    pub repository: String,
    /// What of it.
    pub version: Pointer,
}

/// What of a repository is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// Whatever has this name at the moment.
    Tag(String),
    /// Exactly the manifest with this digest.
    Digest(Digest),
}

/// The text is no place in a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no place in a registry: {problem}; expected `oci://host[:port]/repository:tag`, or `@sha256:…` in place of `:tag`"
)]
pub struct InvalidReference {
    text: String,
    problem: &'static str,
}

impl FromStr for Source {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            Some(_) => text.parse().map(Self::Registry),
            None => Ok(Self::Path(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Registry(reference) => reference.fmt(f),
        }
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|problem| InvalidReference { text: shorten(text), problem })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.name())?;
        match &self.version {
            Pointer::Tag(tag) => write!(f, ":{tag}"),
            Pointer::Digest(digest) => write!(f, "@{digest}"),
        }
    }
}

impl Reference {
    /// The host as it stands in addresses, with its port.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        self.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    }

    /// Host and repository, without what of it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.authority(), self.repository)
    }

    /// The same repository at another place.
    #[must_use]
    pub fn at(&self, version: Pointer) -> Self {
        Self { version, ..self.clone() }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    let rest = text.strip_prefix(SCHEME).ok_or("it does not begin with `oci://`")?;
    let (authority, rest) = rest.split_once('/').ok_or("it names no repository")?;
    let (host, port) = host_and_port(authority)?;
    let (repository, version) = if let Some((repository, digest)) = rest.split_once('@') {
        let digest = digest.parse().map_err(|_| "behind `@` stands no digest")?;
        if repository.contains(':') {
            return Err("it has a tag and a digest, which may differ");
        }
        (repository, Pointer::Digest(digest))
    } else {
        let (repository, tag) = rest.split_once(':').ok_or("it names no tag and no digest")?;
        if !is_tag(tag) {
            return Err("its tag has other characters than letters, digits and `_.-`, or too many");
        }
        (repository, Pointer::Tag(tag.to_owned()))
    };
    if !is_repository(repository) {
        return Err("its repository is not lowercase words with `/` between them");
    }
    Ok(Reference { host, port, repository: repository.to_owned(), version })
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("its address has no end")?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| "its address is none of version 6")?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or("its host is no name")?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > MAX_HOST || !(host.contains(':') || host.split('.').all(label)) {
        return Err("its host is no name");
    }
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or("its port is no number"));
    Ok((host.to_ascii_lowercase(), port.transpose()?))
}

fn is_tag(tag: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"_.-".contains(&c);
    (1..=MAX_TAG).contains(&tag.len()) && tag.bytes().all(allowed) && !tag.starts_with(['.', '-'])
}

/// Words of lowercase letters and digits, with one of `.`, `_`, `__` or any number of `-` between them.
fn is_repository(name: &str) -> bool {
    let word = |word: &str| {
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let mut separators = word.split(alphanumeric).filter(|separator| !separator.is_empty());
        word.starts_with(alphanumeric)
            && word.ends_with(alphanumeric)
            && separators.all(|it| matches!(it, "." | "_" | "__") || it.bytes().all(|c| c == b'-'))
    };
    name.len() <= MAX_REPOSITORY && name.split('/').all(word)
}

fn shorten(text: &str) -> String {
    text.chars().take(MAX_REPOSITORY).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn places_in_registries_are_read_and_written_alike() {
        for text in [
            "oci://registry.example.com/acme/hello:1.2.3",
            "oci://localhost:5000/a:b",
            "oci://127.0.0.1:5000/a__b/c-d--e/f.g:V_1.0-x",
            "oci://[::1]:5000/a:latest",
            &format!("oci://registry.example.com/acme/hello@{DIGEST}"),
        ] {
            let reference: Reference = text.parse().expect(text);
            assert_eq!(reference.to_string(), text);
            assert_eq!(text.parse(), Ok(Source::Registry(reference)));
        }
        let upper: Reference = "oci://Registry.Example.com/a:b".parse().expect("a name");
        assert_eq!(upper.host, "registry.example.com");
    }

    #[test]
    fn what_is_no_place_in_a_registry_says_why() {
        for (text, problem) in [
            ("https://r.example/a:b", "does not begin with `oci://`"),
            ("oci://r.example", "names no repository"),
            ("oci://r.example/a", "names no tag and no digest"),
            ("oci://r.example/a:", "its tag has"),
            ("oci://r.example/a:b:c", "its tag has"),
            ("oci://r.example/a:-b", "its tag has"),
            ("oci://r.example/a:b/c", "its tag has"),
            ("oci://r.example/a@sha256:12", "stands no digest"),
            (&format!("oci://r.example/a:b@{DIGEST}"), "a tag and a digest"),
            ("oci://r.example/A:b", "its repository is not"),
            ("oci://r.example/a//b:c", "its repository is not"),
            ("oci://r.example/../b:c", "its repository is not"),
            ("oci://r.example/a___b:c", "its repository is not"),
            ("oci://user@r.example/a:b", "its host is no name"),
            ("oci:///a:b", "its host is no name"),
            ("oci://r.example:0/a:b", "its port is no number"),
            ("oci://r.example:99999/a:b", "its port is no number"),
            ("oci://[::1/a:b", "its address has no end"),
            ("oci://[r.example]/a:b", "is none of version 6"),
        ] {
            let error = text.parse::<Source>().expect_err(text).to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn everything_else_is_a_path() {
        for text in ["folder", "./a.tar", "/srv/a b", "oci:/x"] {
            assert_eq!(text.parse(), Ok(Source::Path(PathBuf::from(text))));
        }
    }
}
