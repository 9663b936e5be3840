//! Settings of others, and what lies around the host's own process.

use super::scene::Scene;
use crate::sandbox::lab::failure;

// The guest is granted `units`, and nothing else.
cases! { refused:
    setting_not_granted => "none of them is there",
    all_settings => "units=metric",
    environment => "nothing",
    arguments => "nothing",
    working_folder => "nothing",
    stdin => "Closed",
    terminals => "nothing",
    folders => "nothing",
    host_clock => "it began with the call",
}

async fn refused(case: &str, expected: &str) {
    let mut scene = Scene::of("settings");
    scene.terms.config = [("units".to_owned(), "metric".to_owned())].into();
    let outcome = scene.attack(case, "").await;
    assert_eq!(failure(&outcome), expected);
}

/// A seed that calls share would tell one of them how the tables of another one fill.
#[tokio::test]
async fn seed() {
    let scene = Scene::of("settings");
    let first = failure(&scene.attack("seed", "").await);
    assert_ne!(first, failure(&scene.attack("seed", "").await));
}
