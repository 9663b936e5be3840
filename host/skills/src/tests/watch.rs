use std::fs;
use std::sync::Arc;

use super::support::{PATIENCE, Site, manifest, tool};

#[tokio::test]
async fn changes_on_disk_are_noticed() {
    let host = Site::new().with("p").open();
    let mut changes = host.registry.subscribe();
    let watch = host.registry.watch().expect("a thread");
    // A new package, an old one changed, and one that is gone again.
    let mut generation = 1;
    for step in 0..3 {
        match step {
            0 => drop(host.site.package("q", &manifest("demo/q", "1.0.0", ""), &[tool("run")])),
            1 => fs::write(host.site.skills().join("q/skill.toml"), manifest("demo/q", "1.1.0", "")).expect("write"),
            _ => fs::remove_dir_all(host.site.skills().join("q")).expect("remove"),
        }
        // A slow machine may see a package half written at first.
        while seen(&host.registry) != [1, 1, 0][step] || host.registry.catalog().generation() == generation {
            tokio::time::timeout(PATIENCE, changes.changed())
                .await
                .expect("it is noticed")
                .expect("the registry lives");
        }
        generation = host.registry.catalog().generation();
    }
    drop(watch);
    assert_eq!(Arc::strong_count(&host.registry), 2, "the host and its executor hold it, and no thread");
}

fn seen(registry: &crate::registry::Registry) -> usize {
    registry.catalog().list().filter(|skill| skill.manifest.id.as_str() == "demo/q").count()
}
