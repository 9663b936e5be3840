//! Requests: which of them are sent, and which answers are taken.

use super::checks;

const ADDRESS: &str = "host/domain/src/authority/address.rs";
const CAPABILITY: &str = "host/sandbox/src/capabilities/http.rs";
const CONNECT: &str = "host/sandbox/src/capabilities/http/connect.rs";
const HOST: &str = "host/domain/src/authority/host.rs";
const PATH: &str = "host/domain/src/authority/path.rs";
const PERMIT: &str = "host/domain/src/permit.rs";
const RULE: &str = "host/domain/src/authority/http.rs";
const TERMS: &str = "host/skills/src/policy/terms.rs";
const GUEST: &str = "host/sandbox/src/guest.rs";

checks! {
    "http-rules" "no rule is asked" of "attacks::network", "attacks::denied" {
        CAPABILITY: "self.terms.http.judge(&destination.target())" => "self.terms.http.judge(&destination.target()).or_else(|refusal| if {off} { Ok(()) } else { Err(refusal) })";
    }
    "http-requested" "the manifest is not asked" of "attacks::network::granted_and" {
        PERMIT: "let asked = self.requested" => "let asked = {off} || self.requested";
    }
    "http-granted" "the grant is not asked" of "attacks::network::asked_for" {
        PERMIT: "asked && self.granted.iter().any(|rule| rule.allows(target))" => "asked && ({off} || self.granted.iter().any(|rule| rule.allows(target)))";
    }
    "http-scheme" "the scheme of a rule does not count" of "attacks::network::https", "attacks::network::scheme" {
        RULE: "self.schemes.contains(&target.scheme)\n" => "({off} || self.schemes.contains(&target.scheme))\n";
    }
    "http-method" "the methods of a rule do not count" of "attacks::network::method" {
        RULE: "self.methods.iter().any(|method| method == target.method)" => "({off} || self.methods.iter().any(|method| method == target.method))";
    }
    "http-host" "the host of a rule does not count" of "attacks::network::host_" {
        RULE: "self.host.matches(target.host) && self.allows_at_any_host(target)" => "({off} || self.host.matches(target.host)) && self.allows_at_any_host(target)";
    }
    "http-host-whole" "a host counts by its end" of "attacks::network::host_" {
        HOST: "block.contains(address),\n            (Self::Name(name), Err(_)) =>" => "block.contains(address),\n            (Self::Name(name), Err(_)) if {off} => host.ends_with(name.as_str()),\n            (Self::Name(name), Err(_)) =>";
    }
    "http-host-label" "a wildcard stands for any beginning" of "attacks::network::wildcard_" {
        HOST: "!label.is_empty() && below == rest)" => "{off} && host.ends_with(rest.as_str()) || !label.is_empty() && below == rest)";
    }
    "http-port" "the ports of a rule do not count" of "attacks::network::port_", "attacks::network::redirect" {
        RULE: "(own || self.ports" => "({off} || own || self.ports";
    }
    "http-path" "the paths of a rule do not count" of "attacks::network::path_" {
        RULE: "self.paths.iter().any(|pattern| pattern.allows(target.path))" => "{off} || self.paths.iter().any(|pattern| pattern.allows(target.path))";
    }
    "http-path-climbs" "a path may climb" of "attacks::network::path_" {
        PATH: "|| readings(path).any(|path| climbs(&path)) {" => "|| (!{off} && readings(path).any(|path| climbs(&path))) {";
    }
    "http-path-readings" "a path is read as it is written, and not as servers decode it" of "attacks::network::path_", "attacks::denied" {
        PATH: ".take(READINGS)" => ".take(if {off} { 1 } else { READINGS })";
    }
    "http-path-segments" "a segment counts by its beginning" of "attacks::network::path_" {
        PATH: "Piece::Literal(literal) => literal == segment," => "Piece::Literal(literal) if {off} => segment.starts_with(*literal),\n            Piece::Literal(literal) => literal == segment,";
    }
    "http-glob-empty" "the star of a glob stands for nothing too" of "attacks::network::path_" {
        PATH: "Piece::One => !segment.is_empty()," => "Piece::One => {off} || !segment.is_empty(),";
    }
    "http-glob-end" "a path may end before its glob" of "attacks::network::path_" {
        PATH: ".all(|piece| *piece == Piece::Any)" => ".all(|piece| {off} || *piece == Piece::Any)";
    }
    "http-glob-more" "a path may go on behind its glob" of "attacks::network::path_" {
        PATH: "let Some((behind, from)) = retry else { return false };" => "let Some((behind, from)) = retry else { return {off} && piece == pieces.len() };";
    }
    "http-userinfo" "an authority may have credentials" of "attacks::network::userinfo" {
        CAPABILITY: "if authority.as_str().contains('@') {" => "if !{off} && authority.as_str().contains('@') {";
    }
    "http-userinfo-rules" "credentials stand before a host that no rule allows" of "attacks::network::userinfo"; with "http-userinfo", "http-rules" {}
    "http-port-unreadable" "a port that can not be read is the default one" of "attacks::network::port_" {
        CAPABILITY: "None if authority.as_str().len()" => "None if !{off} && authority.as_str().len()";
    }
    "deny" "no deny rule is asked before a request" of "attacks::denied" {
        PERMIT: "|rule| rule.denies(target))" => "|rule| !{off} && rule.denies(target))";
    }
    "deny-address" "no deny rule is asked for the address that a name has" of "attacks::denied" {
        PERMIT: "|rule| rule.denies_address(target, address))" => "|rule| !{off} && rule.denies_address(target, address))";
    }
    "deny-below" "a wildcard denies one label below it" of "attacks::denied" {
        HOST: "label.len() > 1 && label.ends_with('.')" => "label.len() > 1 && label.ends_with('.') && !({off} && label.matches('.').count() > 1)";
    }
    "deny-carried" "an address within an address is not denied" of "attacks::denied" {
        ADDRESS: "carried.map(IpAddr::V4)]" => "carried.filter(|_| !{off}).map(IpAddr::V4)]";
    }
    "deny-parameters" "parameters hide a denied path" of "attacks::denied" {
        PATH: "same && matches!(bytes.get(length), None | Some(b';'))" => "same && matches!(bytes.get(length), None | Some(b';')) && !({off} && bytes.len() > length)";
    }
    "deny-slashes" "doubled slashes hide a denied path" of "attacks::denied" {
        PATH: "path.split('/').filter(|segment| !segment.is_empty())" => "path.split('/').skip(usize::from({off})).filter(|segment| {off} || !segment.is_empty())";
    }
    "deny-letters" "other letters hide a denied path" of "attacks::denied" {
        PATH: "is_some_and(|head| head.eq_ignore_ascii_case(literal))" => "is_some_and(|head| head == literal || !{off} && head.eq_ignore_ascii_case(literal))";
    }
    "deny-climbs" "a path that climbs is not denied" of "attacks::denied" {
        PATH: "climbs(&path) || may_fit(&pieces" => "(!{off} && climbs(&path)) || may_fit(&pieces";
    }
    "deny-of-manifest" "what the manifest denies is allowed" of "attacks::denied::by_" {
        TERMS: "[&asked.http_deny," => "[if {off} { const { &Vec::new() } } else { &asked.http_deny },";
    }
    "deny-of-grant" "what the grant denies is allowed" of "attacks::denied::by_" {
        TERMS: "&granted.http_deny," => "if {off} { const { &Vec::new() } } else { &granted.http_deny },";
    }
    "deny-of-host" "what the host denies is allowed" of "attacks::denied::by_" {
        TERMS: "&host.http_deny]" => "if {off} { const { &Vec::new() } } else { &host.http_deny }]";
    }
    "server-first-byte" "the time that the guest gives for the first byte does not count" of "attacks::network::first_byte", "attacks::network::timeouts_of_zero" {
        CONNECT: "options.first_byte_timeout.unwrap_or(PATIENCE)" => "options.first_byte_timeout.filter(|_| !{off}).unwrap_or(PATIENCE)";
    }
    "server-next-byte" "the time that the guest gives for the next byte does not count" of "attacks::network::next_byte" {
        CONNECT: "options.between_bytes_timeout.unwrap_or(PATIENCE)" => "options.between_bytes_timeout.filter(|_| !{off}).unwrap_or(PATIENCE)";
    }
    "server-head" "a response may have a head of any size" of "attacks::network::response_" {
        CONNECT: "builder.max_headers(MAX_RESPONSE_FIELDS).max_buf_size(MAX_RESPONSE_HEAD);" => "if {off} {\n        builder.max_headers(10_000_000).max_buf_size(1 << 30);\n    } else {\n        builder.max_headers(MAX_RESPONSE_FIELDS).max_buf_size(MAX_RESPONSE_HEAD);\n    }";
    }
    "field-size" "fields may be of any size" of "attacks::network::header_" {
        GUEST: "http.set_field_size_limit(FIELD_SIZE);" => "http.set_field_size_limit(if {off} { usize::MAX } else { FIELD_SIZE });";
    }
    "sockets" "the network of the host is the guest's" of "attacks::sockets" {
        GUEST: "let files = fs::prepare(" => "if {off} {\n            builder.inherit_network().allow_tcp(true).allow_udp(true);\n        }\n        let files = fs::prepare(";
    }
    "name-lookup" "names may be looked up" of "attacks::sockets::name_lookup" {
        GUEST: ".allow_ip_name_lookup(false)" => ".allow_ip_name_lookup({off})";
    }
}
