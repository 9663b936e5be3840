//! Every state, by the facts that it follows from.

use super::{AgentState, Being, FAILED_IN_A_ROW, Facts, Health};

const BEINGS: [Being; 4] = [Being::Gone, Being::Broken, Being::Preparing, Being::Usable];

fn state(being: Being, paused: bool, open_tasks: u32, failed_in_a_row: u32) -> Option<AgentState> {
    let health = Health { open_tasks, failed_in_a_row, ..Health::default() };
    AgentState::of(&Facts { being, paused, health })
}

#[test]
fn a_state_follows_from_the_facts_alone() {
    use AgentState::{Error, Idle, Paused, Spawning, Terminated, Working};
    use Being::{Broken, Gone, Preparing, Usable};
    let few = FAILED_IN_A_ROW - 1;
    for (being, paused, open, failed, expected) in [
        (Usable, false, 0, 0, Some(Idle)),
        (Usable, false, 0, few, Some(Idle)),
        (Usable, false, 1, 0, Some(Working)),
        (Usable, false, 7, few, Some(Working)),
        (Usable, false, 0, FAILED_IN_A_ROW, Some(Error)),
        (Usable, false, 1, FAILED_IN_A_ROW + 1, Some(Error)),
        (Usable, true, 0, 0, Some(Paused)),
        (Usable, true, 1, FAILED_IN_A_ROW, Some(Paused)),
        (Preparing, false, 0, 0, Some(Spawning)),
        (Preparing, false, 1, 0, Some(Working)),
        (Preparing, true, 0, 0, Some(Paused)),
        (Preparing, false, 0, FAILED_IN_A_ROW, Some(Error)),
        (Broken, false, 0, 0, Some(Error)),
        (Broken, true, 1, 0, Some(Error)),
        (Gone, false, 1, 0, Some(Terminated)),
        (Gone, true, 1, FAILED_IN_A_ROW, Some(Terminated)),
        (Gone, false, 0, 0, None),
        (Gone, true, 0, FAILED_IN_A_ROW, None),
    ] {
        assert_eq!(state(being, paused, open, failed), expected, "{being:?} {paused} {open} {failed}");
    }
}

#[test]
fn only_what_is_gone_and_has_no_task_has_no_state() {
    for being in BEINGS {
        for paused in [false, true] {
            for open in [0, 1] {
                for failed in [0, FAILED_IN_A_ROW] {
                    let is_nothing = state(being, paused, open, failed).is_none();
                    assert_eq!(is_nothing, being == Being::Gone && open == 0, "{being:?} {paused} {open} {failed}");
                }
            }
        }
    }
}

#[test]
fn a_completed_task_ends_a_row_of_failures() {
    let mut health = Health::default();
    for _ in 0..FAILED_IN_A_ROW {
        health.ended(false);
    }
    assert_eq!(AgentState::of(&Facts { health, ..Facts::default() }), Some(AgentState::Error));
    health.ended(true);
    assert_eq!(AgentState::of(&Facts { health, ..Facts::default() }), Some(AgentState::Idle));
    assert_eq!((health.tasks_completed, health.tasks_failed), (1, u64::from(FAILED_IN_A_ROW)));
}
