//! The text of an API key: `bwk_`, 16 hex digits that name it, `_`, and 43
//! characters of base64url that nobody else knows.

use bailiwick_domain::digest::{Digest, hex};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

/// What every key begins with, so that scanners for leaked secrets can find it.
const PREFIX: &str = "bwk_";

/// Bytes of the id: enough that two never meet.
const ID_BYTES: usize = 8;

/// Bytes of the secret.
const SECRET_BYTES: usize = 32;

/// Characters of the id.
pub(crate) const ID_LENGTH: usize = 2 * ID_BYTES;

/// Characters of a whole token.
const LENGTH: usize = PREFIX.len() + ID_LENGTH + 1 + (SECRET_BYTES * 4).div_ceil(3);

/// A text that has the form of a token. Whether a key belongs to it is another question.
#[derive(Clone, Copy)]
pub(crate) struct Token<'a>(&'a str);

impl<'a> Token<'a> {
    /// `text` where it has the form of a token.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX).filter(|_| text.len() == LENGTH && text.is_ascii())?;
        let (id, secret) = body.split_once('_')?;
        let base64url = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        (is_id(id) && secret.bytes().all(base64url)).then_some(Self(text))
    }

    /// The part that names the key.
    pub(crate) fn id(&self) -> &'a str {
        &self.0[PREFIX.len()..PREFIX.len() + ID_LENGTH]
    }

    /// Whether this is the token that has this sha256, in the same time for every answer.
    pub(crate) fn has_digest(&self, digest: &Digest) -> bool {
        self.digest().as_bytes().ct_eq(digest.as_bytes()).into()
    }

    /// What the host keeps of it.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

/// Whether `text` is the id of a key: 16 lowercase hex digits.
pub(crate) fn is_id(text: &str) -> bool {
    let digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    text.len() == ID_LENGTH && text.bytes().all(digit)
}

/// A new token from the system's random source.
pub(crate) fn generate() -> Result<String, getrandom::Error> {
    let mut bytes = [0; ID_BYTES + SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    let (id, secret) = bytes.split_at(ID_BYTES);
    Ok(format!("{PREFIX}{}_{}", hex(id), URL_SAFE_NO_PAD.encode(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_has_the_form_and_is_never_the_same() {
        let (one, two) = (generate().expect("random"), generate().expect("random"));
        assert_ne!(one, two);
        let token = Token::parse(&one).expect("form");
        assert_eq!(one.len(), LENGTH);
        assert!(one.starts_with(&format!("bwk_{}_", token.id())));
        assert!(token.has_digest(&token.digest()));
        assert!(!token.has_digest(&Token::parse(&two).expect("form").digest()));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let good = format!("bwk_{}_{}", "0".repeat(16), "A".repeat(43));
        assert!(Token::parse(&good).is_some());
        let bad = [
            String::new(),
            good.to_uppercase(),
            format!("{good}A"),
            good[..good.len() - 1].to_owned(),
            good.replacen('0', "g", 1),
            good.replacen('A', "+", 1),
            good.replacen("AA", "é", 1),
            format!("bwk_{}_{}", "0".repeat(15), "A".repeat(44)),
        ];
        for text in bad {
            assert!(Token::parse(&text).is_none(), "{text}");
        }
    }
}
