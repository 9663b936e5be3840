//! Commands of the host: only those that were granted, word for word.

use bailiwick_domain::quota::Quota;
use bailiwick_domain::sandbox::Outcome;

use super::scene::Scene;
use crate::sandbox::lab::failure;

// `git status` is granted, and `git log` with what follows.
cases! { refused:
    not_granted => "no granted command is this one",
    further_arguments => "no granted command is this one",
    path_as_program => "no granted command is this one",
    nul_in_a_word => "no granted command is this one",
    words_without_end => "no granted command is this one",
    empty => "no granted command is this one",
}

async fn refused(case: &str, reason: &str) {
    let outcome = attack(case, true).await;
    assert_eq!(failure(&outcome), "Denied");
    let denial = outcome.denials.last().unwrap();
    assert_eq!((denial.capability, denial.reason.as_str()), ("shell", reason));
    assert!(denial.request.len() < 300, "{} bytes are kept", denial.request.len());
}

/// A command has nowhere to run, and a host that runs none says so.
#[tokio::test]
async fn without_workspace() {
    let mut reasons = Vec::new();
    for workspace in [false, true] {
        let mut scene = scene(workspace);
        scene.terms.shell = vec![["sh", "-c", "id"].map(str::to_owned).to_vec().try_into().unwrap()];
        let outcome = scene.attack("not_granted", "").await;
        assert_eq!(failure(&outcome), "Denied");
        reasons.push(outcome.denials[0].reason.clone());
        assert_eq!(outcome.used, Vec::<String>::new());
    }
    assert_eq!(reasons, ["commands run in the call's workspace, and none is granted", "this host runs no commands"]);
}

async fn attack(case: &str, workspace: bool) -> Outcome {
    scene(workspace).attack(case, "").await
}

fn scene(workspace: bool) -> Scene {
    let mut scene = Scene::of("shell");
    let rule = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>().try_into().unwrap();
    scene.terms.shell = vec![rule(&["git", "status"]), rule(&["git", "log", "..."])];
    scene.terms.workspace = workspace.then(Quota::default);
    scene
}
