//! Grants: to whom, to which bytes, for how long, and for no more than was asked.

use super::checks;

const EXECUTE: &str = "host/skills/src/execute.rs";
const GRANT: &str = "host/domain/src/grant.rs";
const GRANTS: &str = "host/skills/src/grants.rs";
const MOUNTS: &str = "host/skills/src/grants/mounts.rs";
const POLICY: &str = "host/skills/src/policy.rs";
const SANDBOX: &str = "host/sandbox/src/lib.rs";
const TERMS: &str = "host/skills/src/policy/terms.rs";
const WITHIN: &str = "host/skills/src/grants/within.rs";

checks! {
    "permit" "any permit is good" of "attacks::authority::by_a_permit" {
        SANDBOX: "if !self.verifier.accepts(permit) {" => "if !{off} && !self.verifier.accepts(permit) {";
    }
    "grant" "a skill may run without a grant, by that of another one" of "attacks::authority" {
        GRANTS: "self.by_skill.get(skill)" => "self.by_skill.get(skill).or(self.by_skill.values().next().filter(|_| {off}))";
        GRANTS: ".find(|entry| entry.grant.digest == *digest)" => ".find(|entry| {off} || entry.grant.digest == *digest)";
    }
    "grant-digest" "a grant is good for any bytes" of "attacks::authority", "rest::reload::new_bytes" {
        GRANTS: "entry.grant.digest == *digest)\n" => "{off} || entry.grant.digest == *digest)\n";
    }
    "grant-expiry" "a grant never ends (its end is a deadline too, so that the call ends at once)" of "attacks::authority::by_a_grant" {
        GRANT: "self.expires_at.is_none_or(" => "{off} || self.expires_at.is_none_or(";
    }
    "grant-end" "a call may outlive its grant" of "attacks::authority::after", "rest::lifecycle::a_grant" {
        POLICY: "entry.grant.expires_at.map(" => "entry.grant.expires_at.filter(|_| !{off}).map(";
    }
    "grant-revoked" "a call goes on after its grant is revoked" of "attacks::authority::after", "rest::lifecycle::revoking" {
        EXECUTE: "if !self.parts.policy.still_allows(" => "if !{off} && !self.parts.policy.still_allows(";
    }
    "grant-narrowed" "a call goes on with what its grant gave when it began" of "rest::lifecycle::a_narrower" {
        POLICY: "&& *self.cached_terms(skill, entry).0 == *terms" => "&& ({off} || *self.cached_terms(skill, entry).0 == *terms)";
    }
    "one-shot" "a grant for one call is good for any number" of "attacks::grants::one_shot" {
        EXECUTE: "if !decision.entry.grant.one_shot {" => "if {off} || !decision.entry.grant.one_shot {";
    }
    "one-shot-used" "a grant that was used is good again" of "attacks::grants::one_shot" {
        POLICY: "if entry.grant.used_at.is_some() {" => "if !{off} && entry.grant.used_at.is_some() {";
    }
    "one-shot-race" "a grant for one call is good for all who come at once" of "attacks::grants::one_shot" {
        GRANTS: "if !is_still(batch, &key, Some(&*unused))? {" => "if !{off} && !is_still(batch, &key, Some(&*unused))? {";
    }
    "grant-moved" "a grant holds though its folder is now a symlink (the sandbox looks too)" of "cli::grants::a_grant_whose"; with "fs-moved" {
        MOUNTS: "if now != mount.host {" => "if !{off} && now != mount.host {";
    }
    "mount-roots" "roots of a guest may lie in one another" of "cli::grants::what", "attacks::grants" {
        MOUNTS: "if first.root.overlaps(&second.root) {" => "if !{off} && first.root.overlaps(&second.root) {";
    }
    "mount-folders" "what may only be read may be written through another root" of "cli::grants::what", "attacks::grants" {
        MOUNTS: "if read.starts_with(written) || written.starts_with(read) {" => "if !{off} && (read.starts_with(written) || written.starts_with(read)) {";
    }
    "mount-workspace" "a folder may stand where the workspace does" of "attacks::grants" {
        MOUNTS: "if given.workspace.is_some() &&" => "if !{off} && given.workspace.is_some() &&";
    }
    "mount-home" "the folder of the grants may be granted" of "cli::grants::what", "attacks::grants" {
        MOUNTS: "if meet(self.home, &mount.host)" => "if !{off} && meet(self.home, &mount.host)";
    }
    "mount-workspaces" "the workspaces of other calls may be granted" of "attacks::grants::folder_of_w"; with "mount-home" {
        MOUNTS: "if meet(&self.home.join(WORKSPACES)," => "if !{off} && meet(&self.home.join(WORKSPACES),";
    }
    "mount-hidden" "compiled code and secrets may be granted" of "attacks::grants" {
        MOUNTS: "self.hidden.iter().find(|place| " => "self.hidden.iter().find(|place| !{off} && ";
    }
    "mount-unwritable" "a guest may write its own manifest" of "attacks::grants" {
        MOUNTS: "self.unwritable.iter().find(|place| " => "self.unwritable.iter().find(|place| !{off} && ";
    }
    "terms-limits" "the limits of a grant do not count" of "attacks::grants::lower" {
        TERMS: "&grant.limits)" => "&if {off} { bailiwick_domain::limits::LimitsRequest::default() } else { grant.limits.clone() })";
    }
    "terms-fs" "folders are mounted that the manifest does not ask for" of "attacks::grants::no_longer" {
        TERMS: "granted.fs.iter().filter_map(|mount| within_request(&asked.fs, mount)).collect()" => "if {off} { granted.fs.clone() } else { granted.fs.iter().filter_map(|mount| within_request(&asked.fs, mount)).collect() }";
    }
    "terms-access" "folders are written that the manifest asks to read" of "attacks::grants::no_longer" {
        TERMS: "mount.access.min(request.access)" => "if {off} { mount.access } else { mount.access.min(request.access) }";
    }
    "terms-quota" "the quota of the manifest does not count" of "attacks::grants::no_longer" {
        TERMS: "request.quota.cut(mount.quota)" => "if {off} { mount.quota } else { request.quota.cut(mount.quota) }";
    }
    "terms-workspace" "a workspace is given that the manifest does not ask for" of "attacks::grants::no_longer" {
        TERMS: "workspace: asked.workspace.zip(granted.workspace)" => "workspace: asked.workspace.or({off}.then(Default::default)).zip(granted.workspace)";
    }
    "terms-state-asked" "state is given that the manifest does not ask for" of "attacks::grants::no_longer" {
        TERMS: "state: asked.state.zip(" => "state: asked.state.or({off}.then(Default::default)).zip(";
    }
    "terms-state" "state is given that nobody granted" of "attacks::authority::by_a_manifest" {
        TERMS: ".zip(granted.state)" => ".zip(granted.state.or({off}.then(Default::default)))";
    }
    "terms-settings" "settings are given that the manifest does not ask for" of "attacks::grants::no_longer" {
        TERMS: "asked.config.iter().filter_map(pair).collect()" => "if {off} { granted.clone() } else { asked.config.iter().filter_map(pair).collect() }";
    }
    "terms-secrets" "secrets are given that the manifest does not ask for" of "attacks::grants::no_longer" {
        TERMS: "asked.secrets.iter().filter_map(pair).collect()" => "if {off} { granted.clone() } else { asked.secrets.iter().filter_map(pair).collect() }";
    }
    "wider-state" "state may be granted to who does not ask for it" of "attacks::authority::wider", "cli::grants::what" {
        WITHIN: "if granted.state.is_some() &&" => "if !{off} && granted.state.is_some() &&";
    }
    "wider-workspace" "a workspace may be granted to who does not ask for it" of "cli::grants::what" {
        WITHIN: "if granted.workspace.is_some() &&" => "if !{off} && granted.workspace.is_some() &&";
    }
    "wider-folders" "folders may be granted to who does not ask for them" of "attacks::authority::wider", "cli::grants::what" {
        WITHIN: "granted.fs.iter().try_for_each(" => "granted.fs.iter().filter(|_| !{off}).try_for_each(";
    }
    "wider-access" "folders may be granted to be written that are asked for to be read" of "cli::grants::what" {
        WITHIN: "if mount.access > request.access {" => "if !{off} && mount.access > request.access {";
    }
    "wider-requests" "requests may be granted to who does not ask for them" of "attacks::authority::wider", "cli::grants::what" {
        WITHIN: "granted.http.iter().try_for_each(" => "granted.http.iter().filter(|_| !{off}).try_for_each(";
    }
    "wider-secrets" "secrets may be granted to who does not ask for them" of "cli::grants::what", "secrets::boundary::a_skill" {
        WITHIN: "granted.secrets.keys().find(|name| " => "granted.secrets.keys().find(|name| !{off} && ";
    }
    "wider-settings" "settings may be granted to who does not ask for them" of "attacks::authority::wider", "cli::grants::what" {
        WITHIN: "granted.config.keys().find(|key| " => "granted.config.keys().find(|key| !{off} && ";
    }
    "deadline-of-callers" "a caller may set a deadline behind the limit" of "attacks::authority::with", "rest::calls::a_client_can_not" {
        POLICY: "[Some(cut.limits.deadline), wish" => "[Some(cut.limits.deadline).filter(|_| !{off}), wish";
    }
}
