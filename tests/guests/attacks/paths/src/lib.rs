//! Paths that lead, or seem to lead, out of what is granted.

mod absolute;
mod absolute_by_std;
mod append_by_read_handle;
mod backslashes;
mod create_read_only;
mod create_through_dangling;
mod dot_dot;
mod dot_dot_alone;
mod dot_dot_behind_nothing;
mod dot_dot_below;
mod dot_dot_from_below;
mod empty_path;
mod encoded;
mod exclusive_read_only;
mod file_as_folder;
mod hard_link_from_read_only;
mod hard_link_in;
mod hard_link_through_symlink;
mod hash_outside;
mod list_outside;
mod make_folder_outside;
mod make_folder_read_only;
mod make_symlink_absolute;
mod make_symlink_out;
mod make_symlink_outside;
mod nul;
mod open_file_as_root;
mod proc_by_symlink;
mod proc_environ;
mod proc_root_by_symlink;
mod read_of_everything;
mod read_past_the_end_of_numbers;
mod read_symlink_absolute;
mod remove_folder_outside;
mod remove_folder_read_only;
mod remove_outside;
mod remove_read_only;
mod remove_root;
mod rename_from_read_only;
mod rename_in;
mod rename_out;
mod rename_root;
mod rename_to_read_only;
mod reopen_for_writing;
mod resize_read_only;
mod slash;
mod stat_outside;
mod stream_by_read_handle;
mod symlink_absolute;
mod symlink_chain;
mod symlink_loop;
mod symlink_race;
mod symlink_race_door;
mod symlink_read_only;
mod symlink_to_file;
mod symlink_to_folder;
mod symlink_trailing_dot;
mod symlink_trailing_slash;
mod symlink_trailing_slashes;
mod symlink_up;
mod times_by_path_read_only;
mod times_outside;
mod times_read_only;
mod times_that_are_none;
mod truncate_read_only;
mod very_deep_path;
mod very_long_name;
mod write_by_read_handle;
mod write_outside;
mod write_read_only;
mod write_through_symlink;

attack_kit::cases! {
    absolute,
    absolute_by_std,
    append_by_read_handle,
    backslashes,
    create_read_only,
    create_through_dangling,
    dot_dot,
    dot_dot_alone,
    dot_dot_behind_nothing,
    dot_dot_below,
    dot_dot_from_below,
    empty_path,
    encoded,
    exclusive_read_only,
    file_as_folder,
    hard_link_from_read_only,
    hard_link_in,
    hard_link_through_symlink,
    hash_outside,
    list_outside,
    make_folder_outside,
    make_folder_read_only,
    make_symlink_absolute,
    make_symlink_out,
    make_symlink_outside,
    nul,
    open_file_as_root,
    proc_by_symlink,
    proc_environ,
    proc_root_by_symlink,
    read_of_everything,
    read_past_the_end_of_numbers,
    read_symlink_absolute,
    remove_folder_outside,
    remove_folder_read_only,
    remove_outside,
    remove_read_only,
    remove_root,
    rename_from_read_only,
    rename_in,
    rename_out,
    rename_root,
    rename_to_read_only,
    reopen_for_writing,
    resize_read_only,
    slash,
    stat_outside,
    stream_by_read_handle,
    symlink_absolute,
    symlink_chain,
    symlink_loop,
    symlink_race,
    symlink_race_door,
    symlink_read_only,
    symlink_to_file,
    symlink_to_folder,
    symlink_trailing_dot,
    symlink_trailing_slash,
    symlink_trailing_slashes,
    symlink_up,
    times_by_path_read_only,
    times_outside,
    times_read_only,
    times_that_are_none,
    truncate_read_only,
    very_deep_path,
    very_long_name,
    write_by_read_handle,
    write_outside,
    write_read_only,
    write_through_symlink,
}
