//! Observe mode: within bounds, on copies, and on record.

use super::checks;

const FOLDERS: &str = "host/skills/src/observe/folders.rs";
const OBSERVE: &str = "host/skills/src/observe.rs";
const ON_RECORD: &str = "host/skills/src/observe/on_record.rs";
const REQUESTS: &str = "host/skills/src/observe/requests.rs";
const SMALLEST: &str = "host/skills/src/observe/smallest.rs";

checks! {
    "observe-digest" "other bytes are observed than were looked at" of "observe::observing" {
        OBSERVE: "if skill.digest != request.digest {" => "if !{off} && skill.digest != request.digest {";
    }
    "observe-calls" "any number of calls is observed" of "observe::observing" {
        OBSERVE: "if !(1..=MAX_CALLS)" => "if !{off} && !(1..=MAX_CALLS)";
    }
    "observe-risks" "a tool is observed whose risk nobody accepted" of "observe::a_risk" {
        OBSERVE: "for tool in &tools {" => "for tool in tools.iter().filter(|_| !{off}) {";
    }
    "observe-commands" "commands are observed, which know no copies" of "shell::what_may" {
        OBSERVE: "if !request.within.capabilities.shell" => "if !{off} && !request.within.capabilities.shell";
    }
    "observe-copies" "what is observed happens to the folders themselves" of "observe::" {
        FOLDERS: "host: self.copy.clone(), access: Access::ReadWrite" => "host: self.original.as_ref().filter(|_| {off}).map_or_else(|| self.copy.clone(), |it| it.host.clone()), access: Access::ReadWrite";
    }
    "observe-links" "what symlinks lead to is copied" of "observe::bounds" {
        FOLDERS: "FileType::Unknown => {}" => "FileType::Unknown => {}\n            FileType::Symlink if {off} => {}";
        FOLDERS: "let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK" => "let flags = OFlags::RDONLY | if {off} { OFlags::empty() } else { OFlags::NOFOLLOW } | OFlags::NONBLOCK";
    }
    "observe-leftovers" "copies stay behind" of "observe::copies" {
        OBSERVE: "scratch.end().await;" => "if {off} { std::mem::forget(scratch) } else { scratch.end().await }";
    }
    "observe-state" "state is granted that nobody gave" of "observe::what" {
        SMALLEST: "self.capabilities.state = within.state;" => "self.capabilities.state = within.state.or({off}.then(Default::default));";
    }
    "observe-rules" "rules are granted that are wider than those that were given" of "observe::what" {
        REQUESTS: "if rule_is_asked_for(bounds, &merged)" => "if {off} || rule_is_asked_for(bounds, &merged)";
    }
    "observe-begin" "an observation begins without a record" of "observe::observing" {
        ON_RECORD: "if let Err(error) = record.audit" => "if !{off} && let Err(error) = record.audit";
    }
    "observe-end" "an observation ends without a record" of "observe::observing" {
        ON_RECORD: "let Some(written) = self.audit" => "if {off} {\n            return Ok(());\n        }\n        let Some(written) = self.audit";
    }
}
