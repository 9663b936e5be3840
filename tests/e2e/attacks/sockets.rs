//! Sockets, which no grant gives: their interfaces are there, and refuse.

use super::rogue::{self, Rogue};
use super::scene::Scene;
use crate::sandbox::lab::failure;

// A server listens at the port that the guest is told.
cases! { refused:
    tcp_connect => "access-denied",
    tcp_connect_v6 => "access-denied",
    tcp_by_std => "permission denied",
    tcp_listen => "access-denied",
    tcp_listen_unbound => "access-denied",
    udp_send => "access-denied",
    udp_connect => "access-denied",
}

async fn refused(case: &str, expected: &str) {
    let server = Rogue::start(rogue::polite);
    let outcome = Scene::of("network").attack(case, &server.port().to_string()).await;
    assert_eq!(failure(&outcome), expected);
    assert_eq!(server.connections(), 0);
}

// Who answers for a name learns what the guest put into it.
cases! { not_looked_up:
    name_lookup => "localhost",
    name_lookup_of_an_address => "127.0.0.1",
    name_lookup_that_tells => "what-it-knows.example.com",
}

async fn not_looked_up(_: &str, name: &str) {
    let outcome = Scene::of("network").attack("name_lookup", name).await;
    assert_eq!(failure(&outcome), "permanent-resolver-failure");
}
