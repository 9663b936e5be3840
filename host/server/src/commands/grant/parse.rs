//! Grants as they are typed on the command line.

use std::path::PathBuf;

use bailiwick_domain::authority::{
    Access, FsMount, FsRequest, GuestPath, HostPattern, HttpDeny, HttpRule, PathPattern, Scheme, SecretDestination,
};
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::quota::Quota;
use bailiwick_domain::units::parse_size;

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
    Ok(FsMount { root, host: PathBuf::from(host), access, quota: Quota::default() })
}

/// `GUEST|state=[SIZE][,NUMBER]`, for something that is granted already.
pub(super) fn quota(text: &str, granted: &mut Capabilities) -> Result<(), String> {
    let form = "expected GUEST=[SIZE][,FILES] or state=[SIZE][,KEYS], such as `/work=10 MiB,100`";
    let (what, amounts) = text.split_once('=').ok_or_else(|| format!("`{text}` names no quota: {form}"))?;
    let (size, number) = amounts.split_once(',').unwrap_or((amounts, ""));
    let size = Some(size.trim()).filter(|size| !size.is_empty()).map(parse_size).transpose();
    let size = size.map_err(|error| format!("`{text}`: {error}"))?;
    let number = Some(number.trim()).filter(|number| !number.is_empty()).map(str::parse::<u64>).transpose();
    let number = number.map_err(|_| format!("`{text}`: the number can't be read: {form}"))?;
    if (size, number) == (None, None) || size == Some(0) || number == Some(0) {
        return Err(format!("`{text}` leaves nothing: {form}"));
    }
    if what == "state" {
        let state = granted.state.as_mut().ok_or_else(|| format!("`{text}`: there is no `--state` to be cut"))?;
        state.max_bytes = size.unwrap_or(state.max_bytes);
        state.max_keys = number.unwrap_or(state.max_keys);
        return Ok(());
    }
    let quota = if what == GuestPath::workspace().as_str() {
        granted.workspace.as_mut()
    } else {
        let mut mounts = granted.fs.iter_mut().filter(|mount| mount.access == Access::ReadWrite);
        mounts.find(|mount| mount.root.as_str() == what).map(|mount| &mut mount.quota)
    };
    let quota = quota.ok_or_else(|| format!("`{text}`: nothing writable is granted as `{what}`"))?;
    quota.max_bytes = size.unwrap_or(quota.max_bytes);
    quota.max_files = number.unwrap_or(quota.max_files);
    Ok(())
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
    use bailiwick_domain::quota::{QuotaRequest, StateQuota};

    use super::*;

    #[test]
    fn quotas() {
        let mut granted = Capabilities {
            fs: vec![mount("docs:/work:rw", &[asked("/work")]).expect("a mount")],
            workspace: Some(Quota::default()),
            state: Some(StateQuota::MOST),
            ..Capabilities::default()
        };
        for text in ["/work=10 MiB,100", "/workspace=,7", "state=1 KiB"] {
            quota(text, &mut granted).expect(text);
        }
        assert_eq!(granted.fs[0].quota, Quota { max_bytes: 10 << 20, max_files: 100 });
        assert_eq!(granted.workspace, Some(Quota { max_files: 7, ..Quota::default() }));
        assert_eq!(granted.state, Some(StateQuota { max_bytes: 1 << 10, ..StateQuota::MOST }));
        for bad in ["/work", "/work=", "/work=0 B", "/work=,0", "/work=10", "/work=,x", "/other=1 B", "/work=1 B,1,1"] {
            assert!(quota(bad, &mut granted).is_err(), "{bad}");
        }
        granted.fs[0].access = Access::Read;
        assert!(quota("/work=1 B", &mut granted).is_err(), "nothing is written there");
        granted.state = None;
        assert!(quota("state=1 B", &mut granted).is_err());
    }

    fn asked(root: &str) -> FsRequest {
        FsRequest { root: root.parse().expect("a path"), access: Access::ReadWrite, quota: QuotaRequest::default() }
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
