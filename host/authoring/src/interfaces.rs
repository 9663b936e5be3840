//! Interfaces of hosts in words: what a component can do by them, and with which permission.

use bailiwick_domain::manifest::Permissions;
use serde::Serialize;

/// Something that a manifest asks for and a grant gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Folders, and the workspace.
    Files,
    /// Requests over HTTP, and secrets in them.
    Requests,
    /// Durable state.
    State,
    /// Settings.
    Settings,
    /// Commands of the host.
    Commands,
    /// Other skills.
    Skills,
    /// Models.
    Models,
}

/// Every permission.
pub const PERMISSIONS: [Permission; 7] = [
    Permission::Files,
    Permission::Requests,
    Permission::State,
    Permission::Settings,
    Permission::Commands,
    Permission::Skills,
    Permission::Models,
];

impl Permission {
    /// The interfaces that it opens, by the beginning of their names.
    pub const fn interfaces(self) -> &'static [&'static str] {
        match self {
            Self::Files => &["wasi:filesystem/"],
            Self::Requests => &["wasi:http/outgoing-handler", "wasi:http/client"],
            Self::State => &["wasi:keyvalue/"],
            Self::Settings => &["wasi:config/"],
            Self::Commands => &["bailiwick:shell/"],
            Self::Skills => &["bailiwick:skill/skills"],
            Self::Models => &["bailiwick:skill/models"],
        }
    }

    /// The keys of a manifest that ask for it, as an author writes them.
    pub const fn keys(self) -> &'static str {
        match self {
            Self::Files => "[[permissions.fs]]` or `permissions.workspace",
            Self::Requests => "[[permissions.http]]",
            Self::State => "permissions.state",
            Self::Settings => "permissions.config",
            Self::Commands => "permissions.shell",
            Self::Skills => "[[permissions.skills]]",
            Self::Models => "permissions.models",
        }
    }

    /// What a component can do with it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Files => "reads and writes files in the folders that it is granted",
            Self::Requests => "sends requests over HTTP to the hosts that it is granted",
            Self::State => "keeps values from one call to the next",
            Self::Settings => "reads the settings that it is granted",
            Self::Commands => "runs the commands of the host that it is granted",
            Self::Skills => "calls the skills that it is granted",
            Self::Models => "asks the models that it is granted",
        }
    }

    /// What in `asked` asks for it: the key in the manifest, and what is asked for.
    pub fn asked(self, asked: &Permissions) -> Vec<(&'static str, String)> {
        let named = |key, names: Vec<String>| names.into_iter().map(move |name| (key, name)).collect();
        match self {
            Self::Files => {
                let folders = asked.fs.iter().map(|it| ("permissions.fs", format!("the folder `{}`", it.root)));
                let workspace = asked.workspace.iter().map(|_| ("permissions.workspace", "a workspace".to_owned()));
                folders.chain(workspace).collect()
            }
            Self::Requests => {
                let requests = asked.http.iter().map(|rule| ("permissions.http", format!("requests `{rule}`")));
                let secrets = asked.secrets.iter().map(|name| ("permissions.secrets", format!("the secret `{name}`")));
                requests.chain(secrets).collect()
            }
            Self::State => asked.state.iter().map(|_| ("permissions.state", "durable state".to_owned())).collect(),
            Self::Settings => {
                named("permissions.config", asked.config.iter().map(|key| format!("the setting `{key}`")).collect())
            }
            Self::Commands => {
                named("permissions.shell", asked.shell.iter().map(|it| format!("the command `{it}`")).collect())
            }
            Self::Skills => {
                named("permissions.skills", asked.skills.iter().map(|it| format!("the skill `{it}`")).collect())
            }
            Self::Models => {
                named("permissions.models", asked.models.iter().map(|it| format!("the model `{it}`")).collect())
            }
        }
    }

    /// The imports that it opens.
    pub fn among(self, imports: &[String]) -> Vec<&str> {
        imports.iter().map(String::as_str).filter(|import| permission_of(import) == Some(self)).collect()
    }
}

/// The permission that decides what comes of using an import; none where every skill
/// may use it, or none.
pub fn permission_of(import: &str) -> Option<Permission> {
    let is = |permission: &Permission| permission.interfaces().iter().any(|prefix| import.starts_with(prefix));
    PERMISSIONS.into_iter().find(is)
}

/// What an import is good for, in words.
pub fn words(import: &str) -> &'static str {
    if let Some(permission) = permission_of(import) {
        return permission.words();
    }
    let known = OTHERS.iter().find(|(prefix, _)| import.starts_with(prefix));
    known.map_or("is nothing that this host knows", |(_, words)| words)
}

/// Imports that need no permission, by the beginning of their names.
const OTHERS: [(&str, &str); 13] = [
    ("wasi:cli/environment", "asks for environment variables and arguments, of which there are none"),
    ("wasi:cli/exit", "ends itself"),
    ("wasi:cli/std", "writes to its log; what it reads is empty"),
    ("wasi:cli/terminal", "asks whether it has a terminal, which it has not"),
    ("wasi:clocks/", "tells the time and waits"),
    ("wasi:random/", "takes random numbers"),
    ("wasi:io/", "waits, and moves bytes in and out of what else it may use"),
    ("wasi:http/types", "makes requests and reads answers, which by itself sends nothing"),
    ("wasi:sockets/", "would open connections of its own, which this host refuses whatever is granted"),
    ("wasi:logging/", "writes structured lines to its log"),
    ("bailiwick:skill/progress", "tells how far a call has come"),
    ("bailiwick:skill/approvals", "asks a person before it goes on"),
    ("bailiwick:skill/", "is an interface of the host that needs no permission"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_belongs_to_one_permission() {
        assert_eq!(permission_of("wasi:filesystem/types@0.2.9"), Some(Permission::Files));
        assert_eq!(permission_of("wasi:http/outgoing-handler@0.2.0"), Some(Permission::Requests));
        assert_eq!(permission_of("bailiwick:skill/skills@0.1.0"), Some(Permission::Skills));
        // Types alone send nothing.
        assert_eq!(permission_of("wasi:http/types@0.2.0"), None);
        assert_eq!(permission_of("bailiwick:skill/progress@0.1.0"), None);
        assert_eq!(words("wasi:clocks/monotonic-clock@0.2.0"), "tells the time and waits");
        assert_eq!(words("acme:rocket/launch"), "is nothing that this host knows");
    }
}
