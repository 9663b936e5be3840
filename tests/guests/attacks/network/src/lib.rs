//! Servers, names and addresses that were not granted, and messages that are not what they seem.

mod authority;
mod authority_injection;
mod body_sent_without_end;
mod body_without_permission;
mod first_byte_never;
mod header_count;
mod header_forbidden;
mod header_injection;
mod header_name_injection;
mod header_size;
mod host_backtrace;
mod https_where_http_is_granted;
mod length_too_long;
mod length_too_short;
mod method;
mod method_connect;
mod method_in_other_letters;
mod method_injection;
mod name_lookup;
mod next_byte_never;
mod path;
mod path_injection;
mod redirect;
mod request_flood;
mod requests_at_once;
mod response_not_read;
mod response_without_end;
mod scheme;
mod tcp_by_std;
mod tcp_connect;
mod tcp_connect_v6;
mod tcp_listen;
mod tcp_listen_unbound;
mod timeouts_of_centuries;
mod timeouts_of_zero;
mod tls_to_a_plain_server;
mod udp_connect;
mod udp_send;

attack_kit::cases! {
    authority,
    authority_injection,
    body_sent_without_end,
    body_without_permission,
    first_byte_never,
    header_count,
    header_forbidden,
    header_injection,
    header_name_injection,
    header_size,
    host_backtrace,
    https_where_http_is_granted,
    length_too_long,
    length_too_short,
    method,
    method_connect,
    method_in_other_letters,
    method_injection,
    name_lookup,
    next_byte_never,
    path,
    path_injection,
    redirect,
    request_flood,
    requests_at_once,
    response_not_read,
    response_without_end,
    scheme,
    tcp_by_std,
    tcp_connect,
    tcp_connect_v6,
    tcp_listen,
    tcp_listen_unbound,
    timeouts_of_centuries,
    timeouts_of_zero,
    tls_to_a_plain_server,
    udp_connect,
    udp_send,
}
