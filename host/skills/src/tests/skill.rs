use std::fs;

use bailiwick_domain::permit;
use bailiwick_domain::wit::ToolSignature;
use serde_json::{Value, json};

use super::script::Script;
use super::support::{Site, manifest, tool};

/// The one broken package's error.
fn error(site: &Site) -> String {
    let registry = site.registry(&Script::new(permit::authority().1));
    let catalog = registry.catalog();
    assert_eq!(catalog.list().count(), 0);
    catalog.broken()[0].error.to_string()
}

/// A site whose one skill has `rest` in its manifest and these schema files.
fn site(rest: &str, schemas: &[(&str, Value)]) -> Site {
    let site = Site::new();
    let folder = site.package("p", &manifest("demo/p", "1.0.0", rest), &[tool("run"), tool("stop")]);
    for (name, schema) in schemas {
        fs::write(folder.join(name), schema.to_string()).expect("a schema");
    }
    site
}

#[test]
fn tools_take_from_the_component_and_the_manifest() {
    let host = site(
        "risk_tags = [\"a\"]\nidempotent = true\n[tools.stop]\ndescription = \"Ends it.\"\nidempotent = false\nrisk_tags = [\"b\", \"c\"]",
        &[],
    )
    .open();
    let skill = host.skill("demo/p");
    let [run, stop] = skill.tools.as_slice() else { panic!("two tools") };
    assert_eq!((run.name.as_str(), run.index, run.description.as_str(), run.idempotent), ("run", 0, "Does run.", true));
    assert_eq!(
        (stop.name.as_str(), stop.index, stop.description.as_str(), stop.idempotent),
        ("stop", 1, "Ends it.", false)
    );
    assert_eq!(run.risk_tags.iter().collect::<Vec<_>>(), ["a"]);
    assert_eq!(stop.risk_tags.iter().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(skill.risk_tags().into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(run.input_schema["properties"]["text"]["type"], "string");
    assert_eq!(run.failure_schema.as_ref().expect("it can fail")["type"], "string");
    assert_eq!(skill.tool("tools.stop").expect("the long name").index, 1);
    assert!(skill.tool("other").is_none());
}

#[test]
fn an_override_must_mean_a_tool() {
    let error = error(&site("[tools.runn]\nidempotent = true", &[]));
    assert!(error.contains("`[tools.runn]`") && error.contains("`run`, `stop`"), "{error}");
}

#[test]
fn a_function_of_the_world_takes_no_schema() {
    for (interface, function) in [("prompts", "get"), ("resources", "read"), ("tools", "call")] {
        for direction in ["input", "output"] {
            let site = Site::new();
            let rest = format!("[tools.\"{interface}.{function}\"]\n{direction}_schema = \"any.json\"");
            let ours =
                ToolSignature { interface: Some(format!("bailiwick:skill/{interface}@0.1.0")), ..tool(function) };
            let folder = site.package("p", &manifest("demo/p", "1.0.0", &rest), &[tool("run"), ours]);
            fs::write(folder.join("any.json"), json!({ "type": "object" }).to_string()).expect("a schema");
            let error = error(&site);
            let said = format!("`{direction}_schema` in `[tools.\"{interface}.{function}\"]`");
            assert!(error.contains(&said) && error.contains("expected none"), "{error}");
        }
    }
}

#[test]
fn a_workflow_is_called_one() {
    let workflow = ToolSignature { interface: Some("bailiwick:skill/workflow@0.1.0".to_owned()), ..tool("run") };
    let prompts = ToolSignature { interface: Some("bailiwick:skill/prompts@0.1.0".to_owned()), ..tool("list") };
    let plain = |kind: &str| manifest("demo/p", "1.0.0", "").replace("\"tool\"", &format!("\"{kind}\""));
    for (kind, exports, says) in [
        ("workflow", vec![tool("run")], "`kind = \"workflow\"`, and the component does not export"),
        ("workflow", vec![tool("run"), prompts.clone()], "expected that export, or `kind = \"tool\"`"),
        ("tool", vec![workflow.clone()], "`kind = \"tool\"`, and the component exports `bailiwick:skill/workflow`"),
        ("tool", vec![tool("stop"), workflow.clone()], "expected `kind = \"workflow\"`, or no such export"),
    ] {
        let site = Site::new();
        site.package("p", &plain(kind), &exports);
        let error = error(&site);
        assert!(error.contains(says), "{kind}: {error}");
    }
    for (kind, exports, drives) in [
        ("workflow", vec![workflow.clone()], true),
        ("workflow", vec![tool("stop"), workflow], true),
        ("tool", vec![tool("run"), prompts], false),
    ] {
        let site = Site::new();
        site.package("p", &plain(kind), &exports);
        assert_eq!(site.open().skill("demo/p").workflow().is_some(), drives, "{kind}");
    }
}

#[test]
fn a_tool_is_overridden_once() {
    let error = error(&site("[tools.run]\nidempotent = true\n[tools.\"tools.run\"]\nidempotent = false", &[]));
    assert!(error.contains("same tool"), "{error}");
}

#[test]
fn a_schema_that_says_all_is_published_as_it_is() {
    let author = json!({
        "type": "object",
        "properties": { "text": { "type": "string", "maxLength": 3 } },
        "required": ["text"],
        "additionalProperties": false,
    });
    let host = site("[tools.run]\ninput_schema = \"in.json\"", &[("in.json", author.clone())]).open();
    let skill = host.skill("demo/p");
    let published = &skill.tools[0].input_schema;
    for (key, value) in author.as_object().expect("an object") {
        assert_eq!(published[key], *value);
    }
    assert_eq!(published["description"], "Does run.");
    assert!(skill.tools[0].input_narrowing.is_some());
    assert!(skill.tools[1].input_narrowing.is_none());
}

#[test]
fn a_schema_that_says_little_is_published_beside_the_types() {
    let author = json!({ "maximum": 9, "$ref": "#/$defs/even", "$defs": { "even": { "multipleOf": 2 } } });
    let host = site("[tools.run]\noutput_schema = \"out.json\"", &[("out.json", author)]).open();
    let skill = host.skill("demo/p");
    let published = &skill.tools[0].output_schema;
    assert_eq!(published["type"], "integer");
    assert_eq!(published["allOf"][0]["$ref"], "#/allOf/0/$defs/even");
    let whole = crate::schema::Validator::new(published).expect("the author's references still lead somewhere");
    assert!(whole.check(&json!(8)).is_ok());
    assert!(whole.check(&json!(7)).is_err(), "the author's definition holds");
    assert!(whole.check(&json!(10)).is_err(), "the author's bound holds");
    assert!(whole.check(&json!(-2)).is_err(), "the type holds");
}

#[test]
fn a_schema_can_not_widen_a_type() {
    let author = json!({ "type": "object", "properties": { "text": { "type": "integer" } } });
    let error = error(&site("[tools.run]\ninput_schema = \"in.json\"", &[("in.json", author)]));
    assert!(error.contains("in.json") && error.contains("`run`") && error.contains("/properties/text"), "{error}");
}

#[test]
fn the_digest_of_a_prompt_is_of_its_instructions() {
    let site = Site::new();
    let folder = site.skills().join("advice");
    fs::create_dir(&folder).expect("a folder");
    let text = "---\nname: advice\ndescription: Gives advice when asked.\n---\nBe kind.\n";
    fs::write(folder.join("SKILL.md"), text).expect("instructions");
    let host = site.open();
    let skill = host.skill("local/advice");
    assert_eq!(skill.digest, bailiwick_domain::digest::Digest::of(text.as_bytes()));
    assert!(skill.tools.is_empty() && skill.inspection.is_none());
    assert_eq!(skill.instructions.as_ref().expect("they are there").body, "Be kind.");
}
