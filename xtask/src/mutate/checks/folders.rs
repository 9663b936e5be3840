//! Folders: what a call may read and write, and how much.

use super::checks;

const FS: &str = "host/sandbox/src/capabilities/fs.rs";
const ROOT: &str = "host/sandbox/src/capabilities/fs/root.rs";
const STREAM: &str = "host/sandbox/src/capabilities/fs/stream.rs";
const VIEW: &str = "host/sandbox/src/capabilities/fs/view.rs";
const WORKSPACE: &str = "host/sandbox/src/workspace.rs";

checks! {
    "fs-read-only" "a folder that is granted to be read is opened to be written" of "attacks::paths" {
        FS: "Access::Read => FsPerms::ReadOnly" => "Access::Read if {off} => FsPerms::ReadWrite,\n        Access::Read => FsPerms::ReadOnly";
    }
    "fs-moved" "a granted folder may have become a symlink" of "attacks::paths::root_" {
        FS: "if real == mount.host {" => "if {off} || real == mount.host {";
    }
    "fs-bytes" "a call may write any number of bytes" of "sandbox::quotas", "attacks::paths::read_past" {
        ROOT: "take(&self.bytes, addition.bytes, max_bytes)" => "take(&self.bytes, addition.bytes, if {off} { u64::MAX } else { max_bytes })";
    }
    "fs-files" "a call may make any number of files" of "sandbox::quotas" {
        ROOT: "take(&self.files, addition.files, max_files)" => "take(&self.files, addition.files, if {off} { u64::MAX } else { max_files })";
    }
    "fs-gap" "what lies between a file's end and a write is free" of "sandbox::quotas" {
        VIEW: "if offset <= held.end ||" => "if {off} || offset <= held.end ||";
    }
    "fs-streams" "what goes through a stream is free" of "sandbox::quotas" {
        STREAM: "if len == 0 {" => "if {off} || len == 0 {";
    }
    "fs-folders" "folders are free" of "sandbox::quotas" {
        VIEW: "self.charge(&attempt, ONE_FILE)?;\n        let result = HostDescriptor::create_directory_at" => "if !{off} {\n            self.charge(&attempt, ONE_FILE)?;\n        }\n        let result = HostDescriptor::create_directory_at";
    }
    "fs-links" "hard links are free" of "sandbox::quotas" {
        VIEW: "self.charge(&attempt, ONE_FILE)?;\n        self.touch_at" => "if !{off} {\n            self.charge(&attempt, ONE_FILE)?;\n        }\n        self.touch_at";
    }
    "fs-symlinks" "symlinks are free" of "sandbox::quotas" {
        VIEW: "Addition { bytes: target.len() as u64, files: 1 }" => "if {off} { Addition::default() } else { Addition { bytes: target.len() as u64, files: 1 } }";
    }
    "fs-new-files" "files that are opened into being are free" of "sandbox::quotas" {
        VIEW: "charged.files = u64::from(absent);" => "charged.files = u64::from(absent && !{off});";
    }
    "fs-cross" "names move from one quota to another" of "sandbox::quotas" {
        VIEW: "if Arc::ptr_eq(&attempt.root, other) ||" => "if {off} || Arc::ptr_eq(&attempt.root, other) ||";
    }
    "workspace-quota" "a workspace has no quota" of "sandbox::quotas" {
        FS: "Ok(Root::new(&root, Access::ReadWrite, quota))" => "Ok(Root::new(&root, Access::ReadWrite, if {off} { Quota { max_bytes: u64::MAX, max_files: u64::MAX } } else { quota }))";
    }
    "workspace-gone" "a workspace outlives its call" of "sandbox::quotas" {
        WORKSPACE: "let ended = if self.keep {" => "let ended = if {off} || self.keep {";
    }
    "workspace-mode" "anybody may look into a workspace" of "sandbox::quotas" {
        WORKSPACE: "exclusive.mode(MODE)" => "exclusive.mode(if {off} { 0o755 } else { MODE })";
    }
}
