//! Why some cases notice no check of ours.

/// Who stops some cases, in place of a check that can be taken out.
pub(super) struct Reason {
    /// Who it is.
    pub(super) who: &'static str,
    /// How it comes.
    pub(super) why: &'static str,
    /// The cases, without `attacks::`.
    pub(super) cases: &'static [&'static str],
}

/// By who stops them.
pub(super) const REASONS: &[Reason] = &[
    Reason {
        who: "cap-std and the kernel.",
        why: "A path is opened one component at a time below a folder that is held open, and neither `..` nor a \
              symlink leads above it; names that are none are refused where they are used. The host hands wasmtime \
              the folder and has no check of paths that could be taken out. Their advisories stand in security- \
              model.md.",
        cases: &[
            "paths::absolute",
            "paths::absolute_by_std",
            "paths::backslashes",
            "paths::create_through_dangling",
            "paths::dot_dot",
            "paths::dot_dot_alone",
            "paths::dot_dot_behind_nothing",
            "paths::dot_dot_below",
            "paths::dot_dot_from_below",
            "paths::empty_path",
            "paths::encoded",
            "paths::file_as_folder",
            "paths::hard_link_in",
            "paths::hard_link_through_symlink",
            "paths::hash_outside",
            "paths::list_outside",
            "paths::make_folder_outside",
            "paths::make_symlink_absolute",
            "paths::make_symlink_out",
            "paths::make_symlink_outside",
            "paths::nul",
            "paths::open_file_as_root",
            "paths::proc_by_symlink",
            "paths::proc_environ",
            "paths::proc_root_by_symlink",
            "paths::read_symlink_absolute",
            "paths::remove_folder_outside",
            "paths::remove_outside",
            "paths::remove_root",
            "paths::rename_in",
            "paths::rename_out",
            "paths::rename_root",
            "paths::slash",
            "paths::stat_outside",
            "paths::symlink_absolute",
            "paths::symlink_chain",
            "paths::symlink_loop",
            "paths::symlink_race",
            "paths::symlink_to_file",
            "paths::symlink_to_folder",
            "paths::symlink_trailing_dot",
            "paths::symlink_trailing_slash",
            "paths::symlink_trailing_slashes",
            "paths::symlink_up",
            "paths::times_outside",
            "paths::very_deep_path",
            "paths::very_long_name",
            "paths::write_outside",
            "paths::write_through_symlink",
        ],
    },
    Reason {
        who: "wasmtime's canonical ABI.",
        why: "It holds what a guest hands over against the guest's own types and memory, whichever host there is.",
        cases: &[
            "malformed::forged_handle",
            "malformed::forged_handle_dropped",
            "malformed::handle_used_after_drop",
            "malformed::invalid_utf8",
            "malformed::list_misaligned",
            "malformed::list_past_memory",
            "malformed::realloc_misaligned",
            "malformed::realloc_past_memory",
            "malformed::realloc_traps",
            "malformed::string_past_memory",
            "malformed::string_without_end",
            "malformed::surrogate",
            "malformed::unknown_case",
        ],
    },
    Reason {
        who: "What is not compiled in.",
        why: "The features of wasmtime are left out of the build (`Cargo.toml`), so that there is nothing to be \
              switched on.",
        cases: &["memory::exceptions", "memory::garbage_collection", "memory::shared_memory"],
    },
    Reason {
        who: "wasmtime's limit of the stack.",
        why: "It is set in `host/sandbox/src/engine.rs`, and has no off: whoever sets it higher ends the process \
              in place of the call.",
        cases: &["time::recurse", "time::recurse_without_memory"],
    },
    Reason {
        who: "wasmtime-wasi.",
        why: "Each call has a clock and a seed of its own, there is no working folder, a poll of nothing traps, \
              times and lengths beyond numbers are errors, an exit ends the guest alone, and a socket that is not \
              used is no file of the host.",
        cases: &[
            "memory::socket_handles",
            "output::exit",
            "paths::read_of_everything",
            "paths::times_that_are_none",
            "settings::host_clock",
            "settings::seed",
            "settings::working_folder",
            "time::poll_nothing",
        ],
    },
    Reason {
        who: "wasmtime-wasi-http and the crate `http`.",
        why: "They refuse names, values, methods, authorities and paths that are none, and hold a body against the \
              length that was said, before the host sees the request.",
        cases: &[
            "network::authority_empty",
            "network::authority_injection",
            "network::body_without_permission",
            "network::brackets_open",
            "network::header_forbidden",
            "network::header_injection",
            "network::header_name_injection",
            "network::host_in_other_letters",
            "network::length_too_long",
            "network::length_too_short",
            "network::method_injection",
            "network::path_absolute",
            "network::path_injection",
            "network::port_twice",
            "network::scheme",
        ],
    },
    Reason {
        who: "hyper and rustls.",
        why: "They read what a server sends, refuse what is no HTTP or no TLS, and take no more than is asked for.",
        cases: &[
            "network::response_cut_off",
            "network::response_in_another_language",
            "network::response_not_read",
            "network::response_with_an_oversized_piece",
            "network::response_with_two_lengths",
            "network::tls_to_a_plain_server",
        ],
    },
    Reason {
        who: "These are no attacks.",
        why: "They hold the lists of cases against the code, and show that what is granted is there.",
        cases: &[
            "coverage::every_capability_has_a_case_that_is_denied",
            "coverage::every_case_is_run",
            "coverage::every_interface_has_a_case_that_attacks_it",
            "coverage::every_interface_is_imported_by_a_hostile_guest",
            "paths::what_is_granted_is_there",
            "routes::every_route_says_who_may_use_it",
        ],
    },
];
