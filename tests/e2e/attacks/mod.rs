//! Hostile guests: each tries one thing that no guest may do.
//!
//! A case is a component, or one function of one, in tests/guests/attacks: a
//! file in Rust, or in WAT where Rust has no words for it. Its test here has the
//! same name. It asserts a typed refusal, and that nothing had happened by then:
//! no file has changed, no server saw a connection. An honest skill is called
//! all the while and must answer.
//!
//! Each case is a test of its own, so that one that fails stands by its name in
//! the output, and none hides behind another. That is affordable because a
//! sandbox is up within a tenth of a second, from the cache of compiled code;
//! only cases about grants need a server.
//!
//! Cases for secrets belong into `network`, for quotas of folders into `paths`,
//! for new limits into `memory`, `time` and `output`. `coverage` fails when a
//! capability or an interface has no case at all.

/// A test for each case: its name, and what the checking function is told beside it.
macro_rules! cases {
    ($check:ident: $($case:ident => $expected:expr),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $case() {
                $check(stringify!($case), $expected).await;
            }
        )*
    };
}

mod addresses;
mod approvals;
mod authority;
mod coverage;
mod denied;
mod grants;
mod malformed;
mod memory;
mod network;
mod output;
mod paths;
mod rogue;
mod routes;
mod scene;
mod services;
mod settings;
mod shell;
mod sockets;
mod state;
mod time;
