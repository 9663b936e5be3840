//! Every key of the configuration is enforced, and a test shows it.

mod limits;
mod secrets;
mod server;
mod skills;
mod trust;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::host::Home;
use crate::runs::{settings as runs, traces};

/// Each key, and the test that fails when nothing follows from it.
const SHOWN: &[(&str, fn())] = &[
    ("agents.ageing", runs::a_run_that_has_waited_long_counts_as_more_urgent),
    ("agents.default_timeout_sec", runs::a_run_that_asks_for_no_time_has_the_default),
    ("agents.directories", runs::agents_are_read_from_every_configured_folder),
    ("agents.enabled", runs::runs_are_taken_up_only_if_enabled),
    ("agents.max_parallel_agents", runs::as_many_runs_are_at_work_as_configured),
    ("agents.max_steps_per_run", runs::no_run_takes_more_steps_than_configured),
    ("agents.max_timeout", runs::a_run_may_ask_for_no_more_time_than_configured),
    ("agents.parallelism", runs::the_machine_says_how_many_runs_are_at_work_where_that_is_configured),
    ("agents.queue_capacity", runs::a_full_queue_is_said_to_be_full),
    ("agents.retention", runs::runs_are_kept_for_as_long_as_configured),
    ("models.*.base_url", runs::a_service_is_asked_where_it_is_for_what_it_has_with_its_key),
    ("models.*.input_usd_per_million", runs::what_a_service_costs_is_counted_by_its_prices),
    ("models.*.key", runs::a_service_is_asked_where_it_is_for_what_it_has_with_its_key),
    ("models.*.model", runs::a_service_is_asked_where_it_is_for_what_it_has_with_its_key),
    ("models.*.output_usd_per_million", runs::what_a_service_costs_is_counted_by_its_prices),
    ("models.*.provider", runs::a_script_answers_where_one_is_configured),
    ("models.*.script", runs::a_script_answers_where_one_is_configured),
    ("audit.checkpoint_every", skills::the_audit_log_is_signed_as_often_as_configured),
    ("skills.approval_lifetime", skills::approvals_hold_for_as_long_as_configured),
    ("cache_dir", server::compiled_code_is_kept_where_cache_dir_says),
    ("data_dir", server::what_lasts_is_kept_where_data_dir_says),
    ("limits.ceiling.concurrency", limits::a_ceiling_of_calls_holds_against_the_manifest),
    ("limits.ceiling.deadline", limits::a_ceiling_of_time_holds_against_the_manifest),
    ("limits.ceiling.fuel", limits::a_ceiling_of_fuel_holds_against_the_manifest),
    ("limits.ceiling.host_calls", limits::a_ceiling_of_host_calls_holds_against_the_manifest),
    ("limits.ceiling.http_received", limits::a_ceiling_of_received_bytes_holds_against_the_manifest),
    ("limits.ceiling.skill_calls", limits::a_ceiling_of_skill_calls_holds_against_the_manifest),
    ("limits.ceiling.model_calls", limits::a_ceiling_of_model_calls_holds_against_the_manifest),
    ("limits.ceiling.model_tokens", limits::a_ceiling_of_model_tokens_holds_against_the_manifest),
    ("limits.ceiling.http_requests", limits::a_ceiling_of_requests_holds_against_the_manifest),
    ("limits.ceiling.http_sent", limits::a_ceiling_of_sent_bytes_holds_against_the_manifest),
    ("limits.ceiling.input", limits::a_ceiling_of_arguments_holds_against_the_manifest),
    ("limits.ceiling.instances", limits::a_ceiling_of_instances_holds_against_the_manifest),
    ("limits.ceiling.log", limits::a_ceiling_of_log_holds_against_the_manifest),
    ("limits.ceiling.memory", limits::a_ceiling_of_memory_holds_against_the_manifest),
    ("limits.ceiling.output", limits::a_ceiling_of_output_holds_against_the_manifest),
    ("limits.ceiling.random", limits::a_ceiling_of_random_bytes_holds_against_the_manifest),
    ("limits.ceiling.table_elements", limits::a_ceiling_of_elements_holds_against_the_manifest),
    ("limits.default.concurrency", limits::a_default_of_calls_holds_where_the_manifest_is_silent),
    ("limits.default.deadline", limits::a_default_of_time_holds_where_the_manifest_is_silent),
    ("limits.default.fuel", limits::a_default_of_fuel_holds_where_the_manifest_is_silent),
    ("limits.default.host_calls", limits::a_default_of_host_calls_holds_where_the_manifest_is_silent),
    ("limits.default.http_received", limits::a_default_of_received_bytes_holds_where_the_manifest_is_silent),
    ("limits.default.skill_calls", limits::a_default_of_skill_calls_holds_where_the_manifest_is_silent),
    ("limits.default.model_calls", limits::a_default_of_model_calls_holds_where_the_manifest_is_silent),
    ("limits.default.model_tokens", limits::a_default_of_model_tokens_holds_where_the_manifest_is_silent),
    ("limits.default.http_requests", limits::a_default_of_requests_holds_where_the_manifest_is_silent),
    ("limits.default.http_sent", limits::a_default_of_sent_bytes_holds_where_the_manifest_is_silent),
    ("limits.default.input", limits::a_default_of_arguments_holds_where_the_manifest_is_silent),
    ("limits.default.instances", limits::a_default_of_instances_holds_where_the_manifest_is_silent),
    ("limits.default.log", limits::a_default_of_log_holds_where_the_manifest_is_silent),
    ("limits.default.memory", limits::a_default_of_memory_holds_where_the_manifest_is_silent),
    ("limits.default.output", limits::a_default_of_output_holds_where_the_manifest_is_silent),
    ("secrets.*.env", secrets::a_secret_comes_from_the_variable_that_is_named),
    ("secrets.*.file", secrets::a_secret_comes_from_the_file_that_is_named),
    ("limits.default.random", limits::a_default_of_random_bytes_holds_where_the_manifest_is_silent),
    ("limits.default.table_elements", limits::a_default_of_elements_holds_where_the_manifest_is_silent),
    ("server.allow_unauthenticated_loopback", server::callers_on_this_machine_need_no_key_if_told_so),
    ("server.allowed_hosts", server::a_configured_name_is_served),
    ("server.allowed_origins", server::a_page_of_a_configured_origin_may_call),
    ("server.drain", server::calls_that_outlast_the_drain_are_cut_off),
    ("server.listen", server::the_server_is_where_it_was_told_to_be),
    ("server.max_body", server::a_body_above_the_configured_size_is_refused),
    ("server.max_connections", server::connections_above_the_configured_number_wait),
    ("server.worker_threads", server::there_are_as_many_threads_as_configured),
    ("skills.allow_shell", skills::commands_may_be_asked_for_only_if_allowed),
    ("skills.allow_unsigned", trust::unsigned_packages_are_let_in_only_if_told_so),
    ("skills.directories", skills::skills_are_read_from_every_configured_folder),
    ("skills.http_deny", skills::what_the_host_denies_is_denied_whatever_was_granted),
    ("skills.max_call_depth", skills::skills_call_skills_as_deep_as_is_configured),
    ("skills.max_concurrent_calls", skills::calls_above_the_configured_number_are_refused),
    ("skills.require_approval_tags", skills::configured_tags_need_an_approval_and_no_others),
    ("skills.strict_validation", skills::slips_in_manifests_are_errors_unless_told_otherwise),
    ("skills.trusted_keys.*.namespaces", trust::the_namespaces_say_what_a_key_may_sign),
    ("skills.trusted_keys.*.public_key", trust::the_public_key_says_whose_signatures_count),
    ("skills.watch", skills::packages_that_change_are_left_alone_if_told_so),
    ("skills.workspace_retention", skills::workspaces_are_kept_for_as_long_as_configured),
    ("tracing.exporter", traces::spans_are_lines_of_the_log_where_that_is_configured),
    ("tracing.otlp_headers.*", traces::the_trace_of_a_run_arrives_at_the_collector_with_its_headers),
    ("tracing.otlp_url", traces::the_trace_of_a_run_arrives_at_the_collector_with_its_headers),
];

#[test]
fn every_key_is_shown_to_be_enforced() {
    let schema = bailiwick_server::config::schema();
    let mut keys = BTreeSet::new();
    collect(&schema, &schema, "", &mut keys);
    let shown: BTreeSet<_> = SHOWN.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(keys, shown, "a key has no test above, or a test has no key");
    assert_eq!(shown.len(), SHOWN.len(), "a key stands twice");
}

/// One of everything that has a name of the operator's own.
const NAMED: &str = r#"
[skills]
allow_unsigned = true
[skills.trusted_keys.acme]
public_key = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
namespaces = ["acme"]
[agents]
max_parallel_agents = 7
parallelism = "resources"
[models.asked]
base_url = "http://127.0.0.1:1/v1"
model = "maker/small"
input_usd_per_million = 0.5
output_usd_per_million = 1.5
[models.keyed]
base_url = "https://models.example.com/v1"
model = "maker/large"
key = "provider"
[models.said]
provider = "scripted"
script = "script.toml"
[tracing]
exporter = "otlp"
otlp_url = "http://127.0.0.1:1"
[tracing.otlp_headers]
x-api-key = "collector"
[secrets.provider]
file = "key"
[secrets.collector]
env = "COLLECTOR"
"#;

#[test]
fn what_holds_is_shown_of_every_key_and_no_secret() {
    let home = Home::with(NAMED);
    home.write("key", "a-long-enough-key\n");
    let told = home.run(&["--json", "config", "check"]).expect(0);
    let shown = told.json();
    for (key, _) in SHOWN {
        assert!(stands(&shown, key), "`{key}` is missing in: {shown}");
    }
    let text = home.run(&["config", "check"]).expect(0).stdout;
    for line in [
        "skills.allow_unsigned = true",
        "agents.max_parallel_agents = 7",
        "agents.parallelism = \"resources\"",
        "agents.retention = \"720 h\"",
        "models.asked.base_url = \"http://127.0.0.1:1/v1\"",
        "models.keyed.key = \"provider\"",
        "models.said.provider = \"scripted\"",
        "tracing.exporter = \"otlp\"",
        "tracing.otlp_headers.x-api-key = \"collector\"",
    ] {
        assert!(text.contains(&format!("  {line}\n")), "`{line}` is missing in: {text}");
    }
    let secret = "a-long-enough-key";
    assert!(!(told.stdout.contains(secret) || text.contains(secret)), "{text}");
}

/// Whether the dotted `key` stands in `value`, where `*` is any name.
fn stands(value: &Value, key: &str) -> bool {
    let (first, rest) = key.split_once('.').unwrap_or((key, ""));
    let Value::Object(object) = value else { return false };
    let mut found = object.iter().filter(|(name, _)| first == "*" || *name == first);
    found.any(|(_, value)| rest.is_empty() || stands(value, rest))
}

/// The dotted keys below `schema`.
fn collect(schema: &Value, root: &Value, prefix: &str, keys: &mut BTreeSet<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    };
    // A table by names of the operator's own.
    if schema["additionalProperties"].is_object() {
        return collect(&schema["additionalProperties"], root, &format!("{prefix}.*"), keys);
    }
    match schema["properties"].as_object() {
        Some(properties) => {
            for (key, schema) in properties {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                collect(schema, root, &key, keys);
            }
        }
        None => drop(keys.insert(prefix.to_owned())),
    }
}
