//! Approvals: who must be asked, and for what an answer is good.

use super::checks;

const APPROVAL: &str = "host/skills/src/approvals/approval.rs";
const APPROVALS: &str = "host/skills/src/approvals.rs";
const POLICY: &str = "host/skills/src/policy.rs";

checks! {
    "approval" "nobody is asked" of "attacks::approvals", "rest::approvals" {
        POLICY: "if tags.peek().is_none() {" => "if {off} || tags.peek().is_none() {";
    }
    "approval-arguments" "an approval is good for any arguments" of "attacks::approvals" {
        APPROVAL: "&& self.arguments_digest == question.arguments" => "&& ({off} || self.arguments_digest == question.arguments)";
    }
    "approval-caller" "an approval is good for any caller" of "attacks::approvals" {
        APPROVAL: "self.principal == question.principal" => "({off} || self.principal == question.principal)";
    }
    "approval-digest" "an approval is good for any bytes" of "attacks::approvals"; with "approval-grant" {
        APPROVAL: "&& self.digest == question.skill.digest" => "&& ({off} || self.digest == question.skill.digest)";
        APPROVALS: "self.digest == skill.digest" => "({off} || self.digest == skill.digest)";
    }
    "approval-tool" "an approval is good for any tool" of "attacks::approvals" {
        APPROVAL: "&& self.tool == question.tool" => "&& ({off} || self.tool == question.tool)";
        APPROVALS: "self.tool == tool.name" => "({off} || self.tool == tool.name)";
    }
    "approval-grant" "an approval is good for any grant" of "attacks::approvals" {
        APPROVAL: "&& self.grant == question.entry.fingerprint" => "&& ({off} || self.grant == question.entry.fingerprint)";
        APPROVALS: "self.grant == entry.fingerprint" => "({off} || self.grant == entry.fingerprint)";
    }
    "approval-risks" "an approval is good for risks that were not shown" of "attacks::approvals" {
        APPROVAL: "self.tags.contains(tag))" => "{off} || self.tags.contains(tag))";
        APPROVALS: "self.tags.contains(tag)\n" => "{off} || self.tags.contains(tag)\n";
    }
    "approval-uses" "an approval is good for any number of calls" of "attacks::approvals", "rest::approvals" {
        APPROVAL: "Uses::Once => State::Used," => "Uses::Once if {off} => State::Approved,\n            Uses::Once => State::Used,";
    }
    "approval-race" "an approval is good for all who come at once" of "attacks::approvals" {
        APPROVALS: "if approval.state != State::Approved {" => "if !{off} && approval.state != State::Approved {";
    }
    "approval-expiry" "an approval never ends" of "attacks::approvals" {
        APPROVAL: "if open && now >=" => "if !{off} && open && now >=";
    }
    "approval-settled" "what was answered may be answered otherwise" of "rest::approvals" {
        APPROVALS: "if approval.state != State::Pending {" => "if !{off} && approval.state != State::Pending {";
    }
    "approval-denied" "who was denied may ask again" of "attacks::approvals", "rest::approvals" {
        APPROVAL: "State::Denied => now < self.expires_at," => "State::Denied => !{off} && now < self.expires_at,";
    }
}
