//! Memory, of the guest's own and of the host.

mod file_handles;
mod folder_handles;
mod grow;
mod grow_politely;
mod header_copies;
mod header_handles;
mod long_list;
mod long_string;
mod random_bytes;
mod random_bytes_insecure;
mod request_handles;
mod socket_handles;
mod stream_handles;
mod timer_handles;
mod zeroes;

attack_kit::cases! {
    file_handles,
    folder_handles,
    grow,
    grow_politely,
    header_copies,
    header_handles,
    long_list,
    long_string,
    random_bytes,
    random_bytes_insecure,
    request_handles,
    socket_handles,
    stream_handles,
    timer_handles,
    zeroes,
}
