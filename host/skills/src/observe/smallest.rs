//! The smallest permissions and the smallest grant that let do what was seen.
//!
//! Too small would be a bug and too large a hole, so where something can't be told
//! exactly (a path with `..`, more folders than a person reads), it goes up to the
//! next thing that surely covers it, and never beyond what the person had given.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bailiwick_domain::authority::{Access, FsMount, FsRequest, GuestPath, HostPattern, Scheme, SecretDestination};
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::manifest::Permissions;
use bailiwick_domain::observation::{Seen, Touch, Written};
use bailiwick_domain::quota::{QuotaRequest, StateRequest};

use super::folders::Copied;
use super::places::{Below, Places};
use super::requests::Origin;
use crate::package::is_setting;

/// What was seen fits into both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Smallest {
    /// For the manifest.
    pub(super) permissions: Permissions,
    /// For the grant.
    pub(super) capabilities: Capabilities,
    /// What a person should know beside them.
    pub(super) notes: Vec<String>,
}

/// Makes both. `asked` is what the manifest asks for now: what can't be observed
/// (models, other skills, commands) and what the author promises not to do stay.
pub(super) fn smallest(seen: &Seen, within: &Capabilities, copied: &[Copied], asked: &Permissions) -> Smallest {
    let mut found = Smallest {
        permissions: Permissions {
            http_deny: asked.http_deny.clone(),
            skills: asked.skills.clone(),
            models: asked.models.clone(),
            shell: asked.shell.clone(),
            ..Permissions::default()
        },
        capabilities: Capabilities { http_deny: within.http_deny.clone(), ..Capabilities::default() },
        notes: Vec::new(),
    };
    for folder in copied {
        found.folder(seen, folder);
    }
    found.workspace(seen, within);
    found.requests(seen, within);
    found.secrets(seen);
    found.state(seen, within);
    found.settings(seen, within);
    if seen.more {
        // First, because it is about all the others.
        let note = "more was touched than an observation keeps, so that a grant made of it may be too small: observe \
                    fewer calls, or grant a folder or host as a whole";
        found.notes.insert(0, note.to_owned());
    }
    found
}

impl Smallest {
    fn folder(&mut self, seen: &Seen, folder: &Copied) {
        let mut places = Places::default();
        for touch in &seen.touches {
            if let Touch::Path { root, path, changed } = touch
                && *root == folder.root
            {
                places.add(path, folder, *changed);
            }
        }
        let written = seen.written.get(&folder.root).copied().unwrap_or_default();
        for (below, access) in places.merged() {
            // Every part was part of a path that the guest could name.
            let root = below.iter().fold(folder.root.to_string(), |path, part| format!("{path}/{part}"));
            let Ok(root) = root.parse::<GuestPath>() else { continue };
            self.grant_folder(folder, &below, &root, access, written);
            let quota = if access == Access::ReadWrite { quota_request(written) } else { QuotaRequest::default() };
            self.permissions.fs.push(FsRequest { root, access, quota });
        }
    }

    fn grant_folder(&mut self, folder: &Copied, below: &Below, root: &GuestPath, access: Access, written: Written) {
        let Some(given) = &folder.original else {
            let note = format!("{root} was used and no folder was given for it: name one with `--fs HOST:{root}`");
            self.notes.push(note);
            return;
        };
        if access > given.access {
            let note = format!(
                "{root} was written to, and its folder was given to be read only: the writing is not granted; give it \
                 with `:rw` if it shall be"
            );
            self.notes.push(note);
        }
        let host = below.iter().fold(given.host.clone(), |path, part| path.join(part));
        let access = access.min(given.access);
        let quota = if access == Access::ReadWrite { quota_request(written).cut(given.quota) } else { given.quota };
        self.capabilities.fs.push(FsMount { root: root.clone(), host, access, quota });
    }

    fn workspace(&mut self, seen: &Seen, within: &Capabilities) {
        let workspace = GuestPath::workspace();
        let in_it = |touch: &Touch| matches!(touch, Touch::Path { root, .. } if *root == workspace);
        if seen.touches.iter().any(in_it) {
            let written = seen.written.get(&workspace).copied().unwrap_or_default();
            let request = quota_request(written);
            self.permissions.workspace = Some(request);
            self.capabilities.workspace = within.workspace.map(|given| request.cut(given));
            if within.workspace.is_none() {
                self.notes.push("a workspace was used and not given: give it with `--workspace`".to_owned());
            }
        }
    }

    fn state(&mut self, seen: &Seen, within: &Capabilities) {
        if !seen.touches.contains(&Touch::State) {
            return;
        }
        // How much it will keep over all its calls, a few of them don't show.
        self.permissions.state = Some(StateRequest::default());
        self.capabilities.state = within.state;
        if within.state.is_none() {
            self.notes.push("durable state was used and not given: give it with `--state`".to_owned());
        }
    }

    fn requests(&mut self, seen: &Seen, within: &Capabilities) {
        let mut origins: BTreeMap<(&str, Scheme, u16), Origin<'_>> = BTreeMap::new();
        for touch in &seen.touches {
            if let Touch::Request { method, scheme, host, port, path, address } = touch {
                origins.entry((host, *scheme, *port)).or_default().add(method, path, *address);
            }
        }
        for ((host, scheme, port), origin) in origins {
            let Ok(pattern) = host.parse::<HostPattern>() else {
                self.notes.push(format!("requests to `{host}` can't be granted: no rule can name that host"));
                continue;
            };
            let named = |address: &IpAddr| HostPattern::Address(*address);
            // A name that leads to a private address needs a rule for that address too.
            let further = origin.addresses.iter().map(named).filter(|address| *address != pattern);
            for pattern in std::iter::once(pattern.clone()).chain(further) {
                let rules = origin.rules(&pattern, scheme, port, &within.http);
                if rules.is_empty() {
                    // Its text was cut or cleaned, so that it is no longer what was allowed.
                    self.notes
                        .push(format!("requests to `{pattern}` are not granted: no rule that was given names it"));
                }
                self.permissions.http.extend(rules.iter().cloned());
                self.capabilities.http.extend(rules);
            }
        }
    }

    fn secrets(&mut self, seen: &Seen) {
        for touch in &seen.touches {
            let Touch::Secret { name, host, port, scheme } = touch else { continue };
            let bare = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            let text = if *port == scheme.default_port() { bare } else { format!("{bare}:{port}") };
            let Ok(destination) = text.parse::<SecretDestination>() else { continue };
            self.permissions.secrets.insert(name.clone());
            let destinations = self.capabilities.secrets.entry(name.clone()).or_default();
            if !destinations.contains(&destination) {
                destinations.push(destination);
            }
        }
    }

    fn settings(&mut self, seen: &Seen, within: &Capabilities) {
        for touch in &seen.touches {
            let Touch::Setting(key) = touch else { continue };
            if !is_setting(key) {
                self.notes.push(format!("it asked for the setting {key:?}, which no manifest can name"));
                continue;
            }
            self.permissions.config.insert(key.clone());
            match within.config.get(key) {
                Some(value) => drop(self.capabilities.config.insert(key.clone(), value.clone())),
                None => self.notes.push(format!("it asked for the setting {key}, which was not given")),
            }
        }
    }
}

/// Room for what was written, and for the next input, which is somewhat larger.
fn quota_request(written: Written) -> QuotaRequest {
    const LEAST_BYTES: u64 = 1 << 10;
    let bytes = written.bytes.max(LEAST_BYTES).checked_next_power_of_two().unwrap_or(written.bytes);
    QuotaRequest { max_bytes: Some(bytes), max_files: Some(written.files.max(1)) }
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::authority::HttpRule;
    use bailiwick_domain::quota::Quota;

    use super::*;

    fn seen(touches: impl IntoIterator<Item = Touch>) -> Seen {
        Seen { touches: touches.into_iter().collect(), ..Seen::default() }
    }

    fn request(host: &str, address: Option<&str>) -> Touch {
        Touch::Request {
            method: "GET".to_owned(),
            scheme: Scheme::Https,
            host: host.to_owned(),
            port: 443,
            path: "/v1".to_owned(),
            address: address.map(|address| address.parse().expect("an address")),
        }
    }

    fn bound(host: &str) -> HttpRule {
        let (schemes, methods) = (vec![Scheme::Https], vec!["GET".to_owned(), "PUT".to_owned()]);
        HttpRule { host: host.parse().expect("a host"), schemes, ports: vec![], methods, paths: vec![] }
    }

    fn of(seen: &Seen, within: &Capabilities) -> Smallest {
        smallest(seen, within, &[], &Permissions::default())
    }

    #[test]
    fn a_name_that_led_to_a_private_address_needs_a_rule_for_it() {
        let within = Capabilities { http: vec![bound("*"), bound("10.0.0.0/8")], ..Capabilities::default() };
        let found = of(&seen([request("intern.example.com", Some("10.1.2.3"))]), &within);
        let rules: Vec<_> = found.capabilities.http.iter().map(ToString::to_string).collect();
        assert_eq!(rules, ["GET https://intern.example.com below /v1", "GET https://10.1.2.3 below /v1"]);
        assert_eq!(found.permissions.http, found.capabilities.http);
        let found = of(&seen([request("10.1.2.3", Some("10.1.2.3"))]), &within);
        assert_eq!(found.capabilities.http.len(), 1, "the address is named already");
        let found = of(&seen([request("10.1.2.3", Some("10.1.2.3"))]), &Capabilities::default());
        assert!(found.capabilities.http.is_empty() && found.notes[0].contains("10.1.2.3"), "{found:?}");
        let found = of(&seen([request("a..b", None)]), &within);
        assert!(found.capabilities.http.is_empty() && found.notes[0].contains("a..b"), "{found:?}");
    }

    #[test]
    fn secrets_go_where_they_went() {
        let secret =
            |host: &str, port, scheme| Touch::Secret { name: "token".to_owned(), host: host.to_owned(), port, scheme };
        let touches = [secret("a.com", 443, Scheme::Https), secret("::1", 8080, Scheme::Http)];
        let found = of(&seen(touches), &Capabilities::default());
        let destinations: Vec<_> = found.capabilities.secrets["token"].iter().map(ToString::to_string).collect();
        assert_eq!(destinations, ["[::1]:8080", "a.com"]);
        assert_eq!(found.permissions.secrets, ["token".to_owned()].into());
    }

    #[test]
    fn settings_are_asked_for_and_granted_where_they_were_given() {
        let touches = ["mode", "absent", "no name"].map(|key| Touch::Setting(key.to_owned()));
        let within = Capabilities {
            config: [("mode", "fast"), ("unread", "x")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            ..Capabilities::default()
        };
        let found = of(&seen(touches), &within);
        assert_eq!(found.permissions.config, ["absent".to_owned(), "mode".to_owned()].into());
        assert_eq!(found.capabilities.config, [("mode".to_owned(), "fast".to_owned())].into());
        assert!(
            found.notes.iter().any(|note| note.contains("absent"))
                && found.notes.iter().any(|it| it.contains("no name"))
        );
    }

    #[test]
    fn quotas_have_room_for_what_was_written_and_no_more_than_was_given() {
        let workspace = GuestPath::workspace();
        let mut seen = seen([Touch::Path { root: workspace.clone(), path: "/workspace/x".to_owned(), changed: true }]);
        seen.written.insert(workspace, Written { bytes: 5000, files: 3 });
        let found = of(&seen, &Capabilities::default());
        assert_eq!(found.permissions.workspace, Some(QuotaRequest { max_bytes: Some(8192), max_files: Some(3) }));
        assert_eq!(found.capabilities.workspace, None, "nobody gave one");
        assert!(found.notes[0].contains("--workspace"), "{found:?}");
        let within =
            Capabilities { workspace: Some(Quota { max_bytes: 6000, max_files: 10 }), ..Capabilities::default() };
        assert_eq!(of(&seen, &within).capabilities.workspace, Some(Quota { max_bytes: 6000, max_files: 3 }));
        assert_eq!(quota_request(Written::default()), QuotaRequest { max_bytes: Some(1024), max_files: Some(1) });
    }

    #[test]
    fn what_was_not_touched_is_in_neither() {
        let within = Capabilities {
            state: Some(bailiwick_domain::quota::StateQuota { max_bytes: 7, max_keys: 7 }),
            workspace: Some(Quota::default()),
            config: [("mode".to_owned(), "fast".to_owned())].into(),
            ..Capabilities::default()
        };
        assert_eq!(of(&Seen::default(), &within), Smallest::default());
        let found = of(&seen([Touch::State]), &within);
        assert_eq!((found.capabilities.state, found.notes.len()), (within.state, 0));
        let found = of(&seen([Touch::State]), &Capabilities::default());
        assert_eq!((found.permissions.state, found.capabilities.state), (Some(StateRequest::default()), None));
        assert!(found.notes[0].contains("--state"), "{found:?}");
        let found = of(&Seen { more: true, ..Seen::default() }, &within);
        assert!(found.notes[0].contains("too small"), "{found:?}");
    }
}
