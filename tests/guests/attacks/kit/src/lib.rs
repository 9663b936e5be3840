//! What the hostile guests share: the one exported tool, and short ways to the
//! interfaces that they attack.
//!
//! A case is a file with a function `attack`. It answers what it got, or the
//! name of the error with which the host refused it.

pub mod fs;
pub mod http;

pub use exports::tests::attacks::tools::Guest;
pub use wasip2;

wit_bindgen::generate!({
    world: "attacks",
    path: "wit",
    pub_export_macro: true,
    default_bindings_module: "attack_kit",
});

/// What an attack got, or the name of the refusal.
pub type Tried = Result<String, String>;

/// Exports the cases, each of which is a module with a function `attack`.
#[macro_export]
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        struct Cases;

        impl $crate::Guest for Cases {
            fn attack(name: String, target: String) -> $crate::Tried {
                match name.as_str() {
                    $(stringify!($case) => $case::attack(&target),)*
                    _ => panic!("there is no case {name}"),
                }
            }
        }

        $crate::export!(Cases with_types_in $crate);
    };
}

/// The name of a case of an error, without what it carries.
pub fn name(error: impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    let case = text.split_once("::").map_or(text.as_str(), |(_, case)| case);
    case.split(['(', ' ']).next().unwrap_or_default().to_owned()
}

/// The name of an error of a socket.
pub fn socket_error(error: wasip2::sockets::network::ErrorCode) -> String {
    error.name().to_owned()
}
