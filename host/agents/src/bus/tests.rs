//! Which topics a pattern takes, and what is no pattern.

use bailiwick_domain::run::RunId;
use serde_json::Value;

use super::{InvalidTopic, MAX_PATTERN_BYTES, MAX_PATTERNS, Told, Topics};

fn topics(patterns: &str) -> Topics {
    patterns.parse().expect("patterns")
}

#[test]
fn a_star_is_one_segment_inside_and_all_that_follow_at_the_end() {
    for (pattern, takes, leaves) in [
        ("agent.*", &["agent.scout.task", "agent.scout"][..], &["agent", "agents.scout", "workflow.1.events"][..]),
        ("agent.*.status", &["agent.scout.status"], &["agent.scout.task", "agent.scout", "agent.scout.status.more"]),
        ("agent.scout.task", &["agent.scout.task"], &["agent.scout", "agent.scout.task.more", "agent.other.task"]),
        ("*", &["agent.scout.task", "broadcast"], &[]),
        ("*.scout.*", &["agent.scout.task", "x.scout.a.b"], &["agent.scout", "agent.other.task"]),
    ] {
        let topics = topics(pattern);
        for topic in takes {
            assert!(topics.takes(topic), "{pattern} takes {topic}");
        }
        for topic in leaves {
            assert!(!topics.takes(topic), "{pattern} leaves {topic}");
        }
    }
    assert!(!Topics::default().takes("agent.scout.task"), "who asks for nothing is told nothing");
}

#[test]
fn what_is_told_is_taken_by_its_name_too() {
    let run = RunId::from_bytes(&[7; 16]);
    let told = Told {
        topic: "agent.scout.task".to_owned(),
        name: "task.completed",
        at: 0,
        run: Some(run.clone()),
        data: Value::Null,
    };
    for pattern in ["agent.*", "task.*", "task.completed", "task.completed.*", &format!("task.completed.{run}")] {
        assert!(topics(pattern).hear(&told), "{pattern}");
    }
    for pattern in ["task.failed.*", "agent.other.*", "task", "task.completed.*.more"] {
        assert!(!topics(pattern).hear(&told), "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_is_refused_and_changes_nothing() {
    let mut topics = topics("agent.*,broadcast.*");
    for wrong in ["", ".", "agent.", ".agent", "agent..task", "agent.s*", "#", "a b", "agent.**", "größe"] {
        let error = topics.add(["workflow.*", wrong]).expect_err(wrong);
        assert_eq!(error, InvalidTopic::Segment(wrong.to_owned()));
    }
    let long = "x".repeat(MAX_PATTERN_BYTES + 1);
    assert_eq!(topics.add([long.as_str()]), Err(InvalidTopic::TooLong(long.len())));
    let many: Vec<String> = (0..MAX_PATTERNS).map(|number| format!("agent.{number}")).collect();
    assert_eq!(topics.add(many.iter().map(String::as_str)), Err(InvalidTopic::TooMany));
    assert_eq!(topics.patterns(), ["agent.*", "broadcast.*"]);
}

#[test]
fn patterns_are_added_once_and_taken_out() {
    let mut topics = topics("agent.*,agent.*");
    topics.add(["workflow.*", "agent.*"]).expect("patterns");
    assert_eq!(topics.patterns(), ["agent.*", "workflow.*"]);
    topics.remove(["agent.*", "never.there"]).expect("patterns");
    assert_eq!(topics.patterns(), ["workflow.*"]);
    assert!(topics.remove(["workflow.*", "a b"]).is_err());
    assert_eq!(topics.patterns(), ["workflow.*"]);
}
