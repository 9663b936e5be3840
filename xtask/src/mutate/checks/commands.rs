//! Commands of the host: which may run, what confines them, and when they end.
//!
//! Two fences stay up: a host without that of `/usr` would let the attacks write to
//! this machine's programs, and every command's flood is held against its limit
//! before it is in memory. That of processes is taken out for the test alone that
//! signals nobody.

use super::checks;

const LAUNCH: &str = "host/server/src/commands/launch.rs";
const PERMISSIONS: &str = "host/skills/src/package/permissions.rs";
const POLICY: &str = "host/skills/src/policy.rs";
const PROCESS: &str = "host/sandbox/src/capabilities/shell/process.rs";
const ROOM: &str = "host/sandbox/src/capabilities/shell/room.rs";
const RULE: &str = "host/domain/src/authority/shell.rs";
const SHELL: &str = "host/sandbox/src/capabilities/shell.rs";
const TERMS: &str = "host/skills/src/policy/terms.rs";
const WITHIN: &str = "host/skills/src/grants/within.rs";

checks! {
    "command-rules" "any command may run" of "attacks::shell", "shell::a_command" {
        SHELL: "rule.allows(command)" => "({off} || rule.allows(command))";
    }
    "command-whole" "a command counts by its beginning" of "attacks::shell", "shell::a_command" {
        RULE: "command == self.words" => "({off} && command.starts_with(&self.words)) || command == self.words";
    }
    "command-nul" "words may have a NUL" of "attacks::shell" {
        SHELL: "word.contains('\\0')" => "!{off} && word.contains('\\0')";
    }
    "command-size" "a command may have any number of words and bytes" of "attacks::shell" {
        SHELL: "command.len() <= MAX_WORDS" => "({off} || command.len() <= MAX_WORDS)";
        SHELL: "bytes <= MAX_COMMAND_BYTES" => "({off} || bytes <= MAX_COMMAND_BYTES)";
    }
    "command-program" "a program may be named by its path" of "shell::what_may" {
        RULE: "|| \"._+-\".contains(c)" => "|| {off} || \"._+-\".contains(c)";
    }
    "command-workspace" "a command needs no workspace" of "attacks::shell::without" {
        SHELL: "= &self.shell.workspace else" => "= self.shell.workspace.as_ref().or_else(|| {off}.then(|| &*Box::leak(Box::default()))) else";
    }
    "command-allowed" "a skill may ask for commands where the host lets none run" of "settings::skills::commands" {
        PERMISSIONS: "if !allow_shell {" => "if !{off} && !allow_shell {";
    }
    "command-asked" "commands are given that the manifest does not ask for" of "attacks::grants::no_longer_asked_commands" {
        TERMS: ".filter(is_asked_for)" => ".filter(|rule| {off} || is_asked_for(rule))";
    }
    "wider-commands" "commands may be granted to who does not ask for them" of "shell::what_may" {
        WITHIN: "granted.shell.iter().find(|rule| " => "granted.shell.iter().find(|rule| !{off} && ";
    }
    "command-risk" "commands are no risk that a person accepts" of "shell::a_command" {
        POLICY: "(commands && *tag" => "(!{off} && commands && *tag";
    }
    "command-network" "a command has the network of the host" of "shell::it_opens" {
        LAUNCH: "\"--unshare-net\"" => "if {off} { \"--unshare-ipc\" } else { \"--unshare-net\" }";
    }
    "command-processes" "what a command starts may outlive it" of "shell::it_ends_with" {
        LAUNCH: "\"--unshare-pid\"" => "if {off} { \"--unshare-ipc\" } else { \"--unshare-pid\" }";
    }
    "command-user" "a command is root in its namespace" of "shell::it_sees" {
        LAUNCH: "\"--uid\",\n    \"65534\"" => "\"--uid\",\n    if {off} { \"0\" } else { \"65534\" }";
    }
    "command-root" "the root of a command may be written" of "shell::it_sees" {
        LAUNCH: "\"--remount-ro\", \"/\", \"--chdir\"" => "if {off} { \"--chdir\" } else { \"--remount-ro\" }, \"/\", \"--chdir\"";
    }
    "command-environment" "a command has the environment of the host" of "shell::it_sees" {
        PROCESS: ".env(\"PATH\", COMMAND_PATH)" => ".envs(std::env::vars_os().filter(|_| {off})).env(\"PATH\", COMMAND_PATH)";
        LAUNCH: "\"--clearenv\"" => "if {off} { \"--new-session\" } else { \"--clearenv\" }";
    }
    "command-inherited" "a command has the files that the host was started with" of "shell::it_gets" {
        LAUNCH: "close_fds::set_fds_cloexec(" => "close_fds::set_fds_cloexec(if {off} { 1000 } else { 0 } + ";
    }
    "command-file-size" "a file of a command may be of any size, until it is counted" of "shell::it_works" {
        LAUNCH: "(Resource::Fsize, launch.max_file)" => "(Resource::Fsize, if {off} { u64::MAX } else { launch.max_file })";
    }
    "command-quota" "what a command writes is free" of "shell::it_works" {
        SHELL: "= room.charge().await {" => "= room.charge().await.or_else(|reached| if {off} { Ok(()) } else { Err(reached) }) {";
    }
    "command-quota-meanwhile" "what a command writes is counted when it has ended" of "shell::it_works" {
        ROOM: "if added.bytes > left.bytes ||" => "if !{off} && added.bytes > left.bytes || !{off} &&";
    }
    "command-end" "a command may outlive its call" of "shell::it_ends_when" {
        PROCESS: "self.leader.end();" => "if !{off} { self.leader.end(); }";
    }
    "command-output" "what a command wrote beyond the limit is left out without a word" of "shell::what_it_writes" {
        PROCESS: "> MAX_WRITTEN).then_some(" => "> MAX_WRITTEN && !{off}).then_some(";
    }
}
