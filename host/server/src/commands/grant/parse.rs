//! Grants as they are typed on the command line.

use std::path::PathBuf;

use bailiwick_domain::authority::{
    Access, FsMount, FsRequest, GuestPath, HostPattern, HttpDeny, HttpRule, PathPattern, Scheme, SecretDestination,
};

/// `HOST[:GUEST][:ro|:rw]`. Where GUEST is left out, the skill must ask for one root.
pub(super) fn mount(text: &str, asked: &[FsRequest]) -> Result<FsMount, String> {
    let (rest, access) = match text.rsplit_once(':') {
        Some((rest, "ro")) => (rest, Access::Read),
        Some((rest, "rw")) => (rest, Access::ReadWrite),
        _ => (text, Access::Read),
    };
    let (host, root) = match rest.rsplit_once(":/") {
        Some((host, guest)) => (host, format!("/{guest}").parse::<GuestPath>().map_err(|error| error.to_string())?),
        None => (rest, only_root(text, asked)?),
    };
    if host.is_empty() {
        return Err(format!("`{text}` names no folder: expected HOST[:GUEST][:ro|:rw], such as `docs:/work/docs:ro`"));
    }
    Ok(FsMount { root, host: PathBuf::from(host), access })
}

fn only_root(text: &str, asked: &[FsRequest]) -> Result<GuestPath, String> {
    match asked {
        [only] => Ok(only.root.clone()),
        [] => Err(format!("`{text}`: the skill asks for no folder")),
        many => {
            let roots: Vec<_> = many.iter().map(|request| request.root.as_str()).collect();
            Err(format!("`{text}`: say as which of {} the skill shall see it, HOST:GUEST", roots.join(", ")))
        }
    }
}

/// `[METHOD,…] [http|https://]HOST[:PORT][/PATH]`. What is left out is as the skill asks.
pub(super) fn http_rule(text: &str, asked: &[HttpRule]) -> Result<HttpRule, String> {
    if asked.is_empty() {
        return Err(format!("`{text}`: the skill asks for no requests"));
    }
    let Requests { methods, scheme, host, ports, paths } = requests(text)?;
    let methods = methods.unwrap_or_else(|| union(asked.iter().flat_map(|rule| rule.methods.iter().cloned())));
    let schemes = match scheme {
        Some(scheme) => vec![scheme],
        None => union(asked.iter().flat_map(|rule| rule.schemes.iter().copied())),
    };
    Ok(HttpRule { host, schemes, ports, methods, paths })
}

/// The same form. What is left out means each.
pub(super) fn http_deny(text: &str) -> Result<HttpDeny, String> {
    let Requests { methods, scheme, host, ports, paths } = requests(text)?;
    let (schemes, methods) = (scheme.into_iter().collect(), methods.unwrap_or_default());
    Ok(HttpDeny { host, schemes, ports, methods, paths })
}

/// `NAME=HOST[:PORT]`.
pub(super) fn secret(text: &str) -> Result<(String, SecretDestination), String> {
    let form = || format!("`{text}` is not NAME=HOST[:PORT], such as `github_token=api.github.com`");
    let (name, destination) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(form)?;
    let destination = destination.parse().map_err(|error| format!("`{text}`: {error}"))?;
    Ok((name.to_owned(), destination))
}

/// What stands in `[METHOD,…] [http|https://]HOST[:PORT][/PATH]`.
struct Requests {
    methods: Option<Vec<String>>,
    scheme: Option<Scheme>,
    host: HostPattern,
    ports: Vec<u16>,
    paths: Vec<PathPattern>,
}

fn requests(text: &str) -> Result<Requests, String> {
    let (methods, url) = match text.trim().split_once(' ') {
        Some((methods, url)) => (Some(self::methods(text, methods)?), url.trim()),
        None => (None, text.trim()),
    };
    let (scheme, rest) = match url.split_once("://") {
        Some(("https", rest)) => (Some(Scheme::Https), rest),
        Some(("http", rest)) => (Some(Scheme::Http), rest),
        Some((other, _)) => return Err(format!("`{text}`: `{other}` is no scheme here: expected http or https")),
        None => (None, url),
    };
    // The slash of a block stands before its closing bracket.
    let bracket = if rest.starts_with('[') { rest.find(']').unwrap_or_default() } else { 0 };
    let slash = rest[bracket..].find('/').map_or(rest.len(), |slash| bracket + slash);
    let (authority, path) = rest.split_at(slash);
    let (host, ports) = host_and_port(text, authority)?;
    let host = host.parse().map_err(|error| format!("`{text}`: {error}"))?;
    let bits = |path: &str| (2..=4).contains(&path.len()) && path.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    if matches!(host, HostPattern::Address(_)) && bracket == 0 && bits(path) {
        return Err(format!("`{text}`: a block of addresses stands in brackets, such as `[10.0.0.0/8]`"));
    }
    let paths = match path {
        "" | "/" => vec![],
        path => vec![path.parse().map_err(|error| format!("`{text}`: {error}"))?],
    };
    Ok(Requests { methods, scheme, host, ports, paths })
}

fn methods(text: &str, methods: &str) -> Result<Vec<String>, String> {
    let methods: Vec<String> = methods.split(',').map(|method| method.trim().to_ascii_uppercase()).collect();
    let odd = |method: &&String| method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase());
    match methods.iter().find(odd) {
        Some(odd) => {
            Err(format!("`{text}`: `{odd}` is not a method: expected such as `GET,HEAD https://api.example.com`"))
        }
        None => Ok(methods),
    }
}

fn host_and_port<'a>(text: &str, authority: &'a str) -> Result<(&'a str, Vec<u16>), String> {
    // An IPv6 address stands in brackets, as in every URL, and so does a block.
    if let Some((address, rest)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = rest.strip_prefix(':').map(|port| self::port(text, port)).transpose()?;
        return Ok((address, port.into_iter().collect()));
    }
    match authority.split_once(':') {
        Some((host, port)) => Ok((host, vec![self::port(text, port)?])),
        None => Ok((authority, vec![])),
    }
}

fn port(text: &str, port: &str) -> Result<u16, String> {
    port.parse().map_err(|_| format!("`{text}`: `{port}` is not a port: expected 1 to 65535"))
}

fn union<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = Vec::new();
    for item in items {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(root: &str) -> FsRequest {
        FsRequest { root: root.parse().expect("a path"), access: Access::ReadWrite }
    }

    #[test]
    fn mounts() {
        let one = [asked("/work")];
        for (text, host, root, access) in [
            ("docs", "docs", "/work", Access::Read),
            ("docs:rw", "docs", "/work", Access::ReadWrite),
            ("/a/b:/work/b", "/a/b", "/work/b", Access::Read),
            ("/a/b:/work/b:rw", "/a/b", "/work/b", Access::ReadWrite),
            ("/a:b:ro", "/a:b", "/work", Access::Read),
        ] {
            let mount = mount(text, &one).expect(text);
            assert_eq!((mount.host.to_str(), mount.root.as_str(), mount.access), (Some(host), root, access), "{text}");
        }
        assert!(mount("docs", &[asked("/a"), asked("/b")]).is_err());
        assert!(mount("docs", &[]).is_err());
        assert!(mount(":/work", &one).is_err());
        assert!(mount("docs:/work/../etc", &one).is_err());
    }

    #[test]
    fn rules() {
        let asked = [HttpRule {
            host: "*".parse().expect("a host"),
            schemes: vec![Scheme::Https, Scheme::Http],
            ports: vec![],
            methods: vec!["GET".into(), "HEAD".into()],
            paths: vec![],
        }];
        let rule = http_rule("https://api.example.com/v1", &asked).expect("a rule");
        assert_eq!(rule.schemes, [Scheme::Https]);
        assert_eq!((rule.methods.len(), rule.paths.as_slice()), (2, ["/v1".parse().expect("a path")].as_slice()));
        let rule = http_rule("get http://[::1]:8080", &asked).expect("a rule");
        assert_eq!((rule.host.to_string().as_str(), rule.ports.as_slice()), ("::1", [8080].as_slice()));
        assert_eq!(rule.methods, ["GET"]);
        for text in ["GET http://[10.0.0.0/8]:8080 below /v1/*/items", "GET https://[fd00::/8]"] {
            let rule = http_rule(&text.replace(" below ", ""), &asked).expect(text);
            assert_eq!(rule.to_string(), text);
        }
        for bad in ["ftp://x.com", "https://x.com:99999", "https://a b", "*.*.com", "https://x.com/a*", "10.0.0.0/8"] {
            assert!(http_rule(bad, &asked).is_err(), "{bad}");
        }
        assert!(http_rule("https://x.com", &[]).is_err());
    }
    #[test]
    fn denials() {
        for text in ["*.example.com", "DELETE,PUT https://api.example.com:8443 below /v1/admin", "[10.0.0.0/8]"] {
            assert_eq!(http_deny(&text.replace(" below ", "")).expect(text).to_string(), text);
        }
        for bad in ["", "ftp://x.com", "[10.0.0.1/8]", "a.com:0x", "a.com/.."] {
            assert!(http_deny(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn secrets() {
        let (name, destination) = secret("github_token=[::1]:8443").expect("a secret");
        assert_eq!((name.as_str(), destination.to_string().as_str()), ("github_token", "[::1]:8443"));
        for bad in ["github_token", "=a.com", "a=", "a=*", "a=https://a.com"] {
            assert!(secret(bad).is_err(), "{bad}");
        }
    }
}
