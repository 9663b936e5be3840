//! Secrets: where they go, and that nothing tells them.

use super::checks;

const SECRET: &str = "host/sandbox/src/capabilities/secret.rs";
const DESTINATION: &str = "host/domain/src/authority/secret.rs";
const REDACT: &str = "host/domain/src/redact.rs";
const REDACTION: &str = "host/sandbox/src/redaction.rs";
const STDIO: &str = "host/sandbox/src/stdio.rs";
const SOURCES: &str = "host/server/src/secrets.rs";

checks! {
    "secret-granted" "a secret needs no grant" of "secrets::boundary" {
        SECRET: "let Some(destinations) = terms" => "if {off} {\n        return if secrets.get(name).is_some() { Ok(()) } else { Err(\"none\") };\n    }\n    let Some(destinations) = terms";
    }
    "secret-destination" "a granted secret may be sent anywhere" of "secrets::boundary" {
        SECRET: "if !destinations.iter().any(" => "if !{off} && !destinations.iter().any(";
    }
    "secret-port" "the port of a destination does not count" of "secrets::boundary::another" {
        DESTINATION: "port == target.port &&" => "({off} || port == target.port) &&";
    }
    "secret-plain-text" "a secret is sent in plain text to a name" of "secrets::boundary" {
        DESTINATION: "        safe &&" => "        (safe || {off}) &&";
    }
    "secret-host" "the host of a destination does not count" of "secrets::boundary::a_name"; with "secret-plain-text" {
        DESTINATION: "&& self.host.matches(target.host)" => "&& ({off} || self.host.matches(target.host))";
    }
    "secret-placeholder" "what begins like a placeholder and is none is sent as it is" of "secrets::boundary::another" {
        SECRET: "return Some(Err(Refused {" => "if {off} {\n                return Some(Ok(Piece::Text(inside)));\n            }\n            return Some(Err(Refused {";
    }
    "secret-identity" "a server may compress its answer to a secret" of "secrets::boundary::a_secret" {
        SECRET: "headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(\"identity\"));" => "if !{off} {\n                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(\"identity\"));\n            }";
    }
    "secret-compressed" "an answer that can't be searched is given" of "secrets::boundary::an_answer" {
        SECRET: "if !all(CONTENT_ENCODING, b\"identity\") ||" => "if (!{off} && !all(CONTENT_ENCODING, b\"identity\")) ||";
    }
    "secret-length" "the length of an answer is told as it was with the secret" of "secrets::boundary::a_secret" {
        SECRET: "head.headers.remove(CONTENT_LENGTH);" => "if !{off} {\n            head.headers.remove(CONTENT_LENGTH);\n        }";
    }
    "redact-headers" "headers of answers are not searched" of "secrets::boundary::a_secret" {
        SECRET: "clean_headers(&mut head.headers, redactor);" => "if !{off} {\n        clean_headers(&mut head.headers, redactor);\n    }";
    }
    "redact-body" "bodies of answers are not searched" of "secrets::boundary::a_secret" {
        SECRET: "clean_body(body, Arc::clone(redactor))" => "if {off} { body } else { clean_body(body, Arc::clone(redactor)) }";
    }
    "redact-pieces" "a secret across two pieces is not seen" of "secrets::boundary::a_secret" {
        REDACT: "let Some(finder) = &self.redactor.0 else" => "if {off} {\n            return self.redactor.bytes(piece);\n        }\n        let Some(finder) = &self.redactor.0 else";
    }
    "redact-base64" "base64 is not searched" of "secrets::boundary::a_secret", "secrets::redaction" {
        REDACT: "forms.extend(base64(secret));" => "if !{off} {\n        forms.extend(base64(secret));\n    }";
    }
    "redact-hex" "hexadecimal is not searched" of "secrets::boundary::a_secret" {
        REDACT: "forms.push(secret.iter().flat_map(|byte| hex(*byte, digits)).collect());" => "if !{off} {\n            forms.push(secret.iter().flat_map(|byte| hex(*byte, digits)).collect());\n        }";
    }
    "redact-url" "what URLs encode is not searched" of "secrets::boundary::a_secret" {
        REDACT: "forms.extend(KEPT_BY_ENCODERS.iter()" => "forms.extend(KEPT_BY_ENCODERS.iter().filter(|_| !{off})";
    }
    "redact-json" "what JSON escapes is not searched" of "secrets::boundary::a_secret" {
        REDACT: "forms.extend(json_escaped(secret));" => "if !{off} {\n        forms.extend(json_escaped(secret));\n    }";
    }
    "redact-output" "what a call answers is not searched" of "secrets::redaction" {
        REDACTION: "Ok(output) => self::output" => "Ok(output) if {off} => Ok(output),\n        Ok(output) => self::output";
    }
    "redact-log" "what a call logs is not searched" of "secrets::redaction" {
        STDIO: "&redactor.bytes(whole)" => "&if {off} { whole.into() } else { redactor.bytes(whole) }";
    }
    "redact-cut" "a log may be cut amid a secret" of "secrets::redaction" {
        STDIO: "if kept.dropped > 0 { redactor" => "if !{off} && kept.dropped > 0 { redactor";
    }
    "secret-mode" "a secret may be in a file that others read" of "secrets::boundary::a_rotated" {
        SOURCES: "} else if mode & FORBIDDEN_MODE != 0 {" => "} else if !{off} && mode & FORBIDDEN_MODE != 0 {";
    }
    "secret-former" "a secret that was replaced is told" of "secrets::boundary::a_rotated" {
        SOURCES: "self.former.insert(0, former);" => "if !{off} {\n                self.former.insert(0, former);\n            }";
    }
}
