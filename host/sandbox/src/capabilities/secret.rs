//! Secrets: put into the headers of a request where it leaves the host, so that the
//! guest never holds them.
//!
//! A guest writes `{{secret:NAME}}` in the value of a header. Whether NAME may go to
//! the request's destination is decided with the request's other rules, before
//! anything is sent; the bytes are put in when the connection stands. Whatever
//! comes back is searched for every secret of the host, so that a server that
//! repeats its request tells the guest nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use ::http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use ::http::{HeaderMap, HeaderName, HeaderValue, Response};
use bailiwick_domain::authority::HttpTarget;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::redact::{RedactStream, Redactor};
use bailiwick_domain::secret::SecretSet;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use wasmtime_wasi_http::{Error, WasiBody};
use zeroize::Zeroizing;

/// What stands before and after the name in a placeholder.
const OPEN: &str = "{{secret:";
const CLOSE: &str = "}}";

/// Bytes of the longest name of a secret, as manifests have it.
const MAX_NAME: usize = 128;

/// A secret that may not be sent, or is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Its name, or what stands where one should.
    pub(crate) secret: String,
    /// For the record.
    pub(crate) reason: &'static str,
}

/// The headers of a request that secrets are put into.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    headers: Vec<HeaderName>,
    secrets: BTreeSet<String>,
}

/// Finds the placeholders in `headers`, and decides whether each may go to `target`.
pub(crate) fn check(
    headers: &HeaderMap,
    target: &HttpTarget<'_>,
    terms: &Terms,
    secrets: &SecretSet,
) -> Result<Placeholders, Refused> {
    let mut found = Placeholders::default();
    for (name, value) in headers {
        let mut any = false;
        let text = template(name, value);
        for piece in pieces(&text) {
            let Piece::Secret(secret) = piece? else { continue };
            check_one(secret, target, terms, secrets)
                .map_err(|reason| Refused { secret: secret.to_owned(), reason })?;
            found.secrets.insert(secret.to_owned());
            any = true;
        }
        if any && !found.headers.contains(name) {
            found.headers.push(name.clone());
        }
    }
    Ok(found)
}

fn check_one(name: &str, target: &HttpTarget<'_>, terms: &Terms, secrets: &SecretSet) -> Result<(), &'static str> {
    let Some(destinations) = terms.secrets.get(name) else { return Err("it is not granted") };
    if !destinations.iter().any(|destination| destination.allows(target)) {
        return Err("it is granted for other destinations");
    }
    match secrets.get(name) {
        None => Err("this host does not have it: `bailiwick secrets list` says why"),
        // A line break would begin a header of the guest's own making.
        Some(value) if HeaderValue::from_bytes(value.expose()).is_err() => Err("it can't stand in a header"),
        Some(_) => Ok(()),
    }
}

impl Placeholders {
    /// The names of the secrets that are put in.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &String> {
        self.secrets.iter()
    }

    /// Puts the secrets in. To be called once the destination was checked.
    pub(crate) fn fill(&self, headers: &mut HeaderMap, secrets: &SecretSet) -> Result<(), Error> {
        for (name, value) in headers.iter_mut().filter(|(name, _)| self.headers.contains(name)) {
            *value = filled(name, value, secrets).ok_or(Error::HttpRequestDenied)?;
        }
        if !self.headers.is_empty() {
            // What is compressed can't be searched.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        Ok(())
    }
}

/// A piece of the text of a header.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Secret(&'a str),
}

/// The text in which placeholders are looked for: the value, or the user and password
/// in it, which Basic authentication encodes. Where it is not text, it has none.
fn template<'a>(name: &HeaderName, value: &'a HeaderValue) -> Cow<'a, str> {
    match basic(name, value) {
        Some(pair) => pair.into(),
        None => std::str::from_utf8(value.as_bytes()).unwrap_or_default().into(),
    }
}

/// The user and password of Basic authentication, if a placeholder stands there.
fn basic(name: &HeaderName, value: &HeaderValue) -> Option<String> {
    let (scheme, encoded) = (*name == AUTHORIZATION).then(|| value.to_str().ok())??.split_once(' ')?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()).ok())??;
    String::from_utf8(pair).ok().filter(|pair| pair.contains(OPEN))
}

/// The pieces of a text; what begins like a placeholder and is none is refused,
/// because it was meant as one.
fn pieces(text: &str) -> impl Iterator<Item = Result<Piece<'_>, Refused>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(inside) = rest.strip_prefix(OPEN) else {
            let (text, placeholder) = rest.split_at(rest.find(OPEN).unwrap_or(rest.len()));
            rest = placeholder;
            return Some(Ok(Piece::Text(text)));
        };
        let Some((name, after)) = inside.split_once(CLOSE).filter(|(name, _)| is_name(name)) else {
            rest = "";
            return Some(Err(Refused { secret: "a placeholder".to_owned(), reason: "expected `{{secret:NAME}}`" }));
        };
        rest = after;
        Some(Ok(Piece::Secret(name)))
    })
}

fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "_.:/-".contains(c);
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(good)
}

/// The value with its secrets; none where one can't stand in a header.
fn filled(name: &HeaderName, value: &HeaderValue, secrets: &SecretSet) -> Option<HeaderValue> {
    let text = template(name, value);
    if !text.contains(OPEN) {
        return Some(value.clone());
    }
    let mut bytes = Zeroizing::new(Vec::new());
    for piece in pieces(&text) {
        match piece.ok()? {
            Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Piece::Secret(secret) => bytes.extend_from_slice(secrets.get(secret)?.expose()),
        }
    }
    if basic(name, value).is_some() {
        let encoded = Zeroizing::new(STANDARD.encode(&*bytes));
        bytes = Zeroizing::new(format!("Basic {}", *encoded).into_bytes());
    }
    let mut value = HeaderValue::from_bytes(&bytes).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The response as the guest may see it. One to a request with a secret must not be
/// compressed, because it could not be searched.
pub(crate) fn redact(
    response: Response<WasiBody>,
    placeholders: &Placeholders,
    redactor: &Arc<Redactor>,
) -> Result<Response<WasiBody>, &'static str> {
    if redactor.is_empty() {
        return Ok(response);
    }
    let (mut head, body) = response.into_parts();
    if !placeholders.headers.is_empty() {
        let all = |name, plain: &[u8]| {
            let mut values = head.headers.get_all(name).iter();
            values.all(|value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(plain))
        };
        if !all(CONTENT_ENCODING, b"identity") || !all(TRANSFER_ENCODING, b"chunked") {
            return Err("the response to a request with a secret is compressed, so that it can't be searched for it");
        }
        // What takes a secret's place has another length.
        head.headers.remove(CONTENT_LENGTH);
    }
    clean_headers(&mut head.headers, redactor);
    Ok(Response::from_parts(head, clean_body(body, Arc::clone(redactor))))
}

/// A header whose very name is a secret is left out.
fn clean_headers(headers: &mut HeaderMap, redactor: &Redactor) {
    let odd = |name: &&HeaderName| matches!(redactor.text(name.as_str()), Cow::Owned(_));
    let names: Vec<HeaderName> = headers.keys().filter(odd).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    for value in headers.values_mut() {
        if let Cow::Owned(clean) = redactor.bytes(value.as_bytes()) {
            *value = HeaderValue::from_bytes(&clean).unwrap_or(HeaderValue::from_static("[secret]"));
        }
    }
}

/// The body without secrets, piece by piece.
fn clean_body(body: WasiBody, redactor: Arc<Redactor>) -> WasiBody {
    let start = Some((body, RedactStream::new(redactor), None));
    let frames = futures::stream::unfold(start, |state: Option<Cleaning>| async move {
        let (mut body, mut stream, trailers) = state?;
        if let Some(trailers) = trailers {
            return Some((Ok(Frame::trailers(trailers)), None));
        }
        loop {
            match body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        let told = told(&mut stream, &data);
                        if !told.is_empty() {
                            return Some((Ok(Frame::data(told)), Some((body, stream, None))));
                        }
                    }
                    Err(frame) => {
                        let mut trailers = frame.into_trailers().unwrap_or_default();
                        clean_headers(&mut trailers, stream.redactor());
                        let rest = Frame::data(stream.finish().into());
                        return Some((Ok(rest), Some((body, stream, Some(trailers)))));
                    }
                },
                // What was held back as the beginning of a secret is not told: the end is not known.
                Some(Err(error)) => return Some((Err(error), None)),
                None => {
                    let rest = stream.finish();
                    return (!rest.is_empty()).then(|| (Ok(Frame::data(rest.into())), None));
                }
            }
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// A body under way, what is held back of it, and the trailers that are still to be told.
type Cleaning = (WasiBody, RedactStream, Option<HeaderMap>);

/// What can be told after the next piece; it is not copied where it is clean.
fn told(stream: &mut RedactStream, data: &Bytes) -> Bytes {
    match stream.push(data) {
        Cow::Borrowed(clean) => data.slice(..clean.len()),
        Cow::Owned(clean) => clean.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bailiwick_domain::authority::Scheme;
    use bailiwick_domain::digest::Digest;
    use bailiwick_domain::limits::LimitsPolicy;
    use bailiwick_domain::permit::HttpAuthority;
    use bailiwick_domain::secret::SecretValue;
    use http_body_util::Full;

    use super::*;

    const TOKEN: &str = "s3cr3t-t0ken";

    fn secrets() -> SecretSet {
        let value = |text: &str| Arc::new(SecretValue::new(text.as_bytes().to_vec()).expect("long enough"));
        let values = [("token".to_owned(), value(TOKEN)), ("odd".to_owned(), value("two\nlines here"))];
        SecretSet::new(values.into(), &[]).expect("few")
    }

    fn terms(names: &[&str]) -> Terms {
        let destinations = || vec!["api.example.com".parse().expect("a destination")];
        Terms {
            skill: "a/b".parse().expect("id"),
            digest: Digest::of(b""),
            fs: vec![],
            http: HttpAuthority::default(),
            secrets: names.iter().map(|name| ((*name).to_owned(), destinations())).collect(),
            workspace: None,
            state: None,
            config: BTreeMap::new(),
            shell: vec![],
            skills: vec![],
            models: vec![],
            limits: LimitsPolicy::default().default,
        }
    }

    const API: HttpTarget<'static> =
        HttpTarget { method: "GET", scheme: Scheme::Https, host: "api.example.com", port: 443, path: "/" };

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        };
        pairs.iter().map(pair).collect()
    }

    /// The value of the first header after all secrets are in.
    fn sent(name: &'static str, value: &str) -> Result<Vec<u8>, String> {
        let mut headers = headers(&[(name, value)]);
        let found = check(&headers, &API, &terms(&["token", "odd", "gone"]), &secrets())
            .map_err(|refused| format!("{}: {}", refused.secret, refused.reason))?;
        found.fill(&mut headers, &secrets()).map_err(|error| error.to_string())?;
        Ok(headers[name].as_bytes().to_vec())
    }

    #[test]
    fn a_placeholder_in_a_value_becomes_the_secret() {
        for (value, expected) in [
            ("{{secret:token}}", "s3cr3t-t0ken"),
            ("Bearer {{secret:token}}", "Bearer s3cr3t-t0ken"),
            ("a={{secret:token}};b={{secret:token}}", "a=s3cr3t-t0ken;b=s3cr3t-t0ken"),
            ("no placeholder", "no placeholder"),
            ("{{secret}} {{token}}", "{{secret}} {{token}}"),
        ] {
            assert_eq!(sent("x-key", value), Ok(expected.as_bytes().to_vec()), "{value}");
        }
    }

    #[test]
    fn basic_authentication_may_be_encoded_already() {
        let pair = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(sent("authorization", &pair("ada:{{secret:token}}")), Ok(pair("ada:s3cr3t-t0ken").into_bytes()));
        assert_eq!(sent("authorization", "Basic {{secret:token}}"), Ok(b"Basic s3cr3t-t0ken".to_vec()));
        assert_eq!(sent("authorization", &pair("ada:x")), Ok(pair("ada:x").into_bytes()));
        // Elsewhere it is a text like any other.
        let text = pair("ada:{{secret:token}}");
        assert_eq!(sent("x-key", &text), Ok(text.clone().into_bytes()));
        assert_eq!(sent("authorization", &pair("{{secret:other}}")), Err("other: it is not granted".to_owned()));
    }

    #[test]
    fn what_is_not_granted_known_or_well_formed_is_refused() {
        for (value, says) in [
            ("{{secret:other}}", "other: it is not granted"),
            ("{{secret:gone}}", "gone: this host does not have it"),
            ("{{secret:token", "a placeholder: expected `{{secret:NAME}}`"),
            ("{{secret:}}", "a placeholder: expected `{{secret:NAME}}`"),
            ("{{secret:a b}}", "a placeholder: expected `{{secret:NAME}}`"),
            ("{{secret:{{secret:token}}}}", "a placeholder: expected `{{secret:NAME}}`"),
        ] {
            let refused = sent("x-key", value).expect_err(value);
            assert!(refused.starts_with(says), "{value}: {refused}");
        }
        assert_eq!(sent("x-key", "{{secret:odd}}"), Err("odd: it can't stand in a header".to_owned()));
    }

    #[test]
    fn a_secret_goes_to_its_destinations_alone() {
        let headers = headers(&[("x-key", "{{secret:token}}")]);
        let check = |target| check(&headers, &target, &terms(&["token"]), &secrets()).map(drop);
        assert_eq!(check(API), Ok(()));
        for target in [
            HttpTarget { host: "www.example.com", ..API },
            HttpTarget { port: 8443, ..API },
            HttpTarget { scheme: Scheme::Http, port: 80, ..API },
        ] {
            let reason = "it is granted for other destinations";
            assert_eq!(check(target), Err(Refused { secret: "token".to_owned(), reason }), "{target:?}");
        }
    }

    #[test]
    fn what_is_put_in_is_marked_and_the_answer_is_asked_for_in_plain() {
        let mut headers = headers(&[("x-key", "{{secret:token}}"), ("accept-encoding", "gzip")]);
        let found = check(&headers, &API, &terms(&["token"]), &secrets()).expect("granted");
        found.fill(&mut headers, &secrets()).expect("it can stand there");
        assert!(headers["x-key"].is_sensitive() && !format!("{headers:?}").contains(TOKEN));
        assert_eq!(headers["accept-encoding"], "identity");
    }

    fn answer(encoding: Option<&'static str>, with_secret: bool) -> Result<Response<WasiBody>, &'static str> {
        answer_as(CONTENT_ENCODING, encoding, with_secret)
    }

    fn answer_as(
        name: HeaderName,
        encoding: Option<&'static str>,
        with_secret: bool,
    ) -> Result<Response<WasiBody>, &'static str> {
        let body = Full::new(Bytes::from(format!("body {TOKEN}"))).map_err(|never| match never {}).boxed_unsync();
        let mut response = Response::new(body);
        response.headers_mut().insert("x-echo", HeaderValue::from_static("Bearer s3cr3t-t0ken"));
        response.headers_mut().insert(TOKEN, HeaderValue::from_static("a name"));
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("17"));
        if let Some(encoding) = encoding {
            response.headers_mut().insert(name, HeaderValue::from_static(encoding));
        }
        let headers = if with_secret { vec![HeaderName::from_static("x-key")] } else { vec![] };
        redact(response, &Placeholders { headers, ..Placeholders::default() }, secrets().redactor())
    }

    #[tokio::test]
    async fn a_server_that_repeats_the_secret_tells_nothing() {
        let response = answer(None, true).expect("it can be searched");
        assert_eq!(response.headers()["x-echo"], "Bearer [secret token]");
        assert!(!response.headers().contains_key(TOKEN) && !response.headers().contains_key(CONTENT_LENGTH));
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!(body, "body [secret token]");
        assert!(answer(Some("identity"), true).is_ok() && answer(Some("gzip"), false).is_ok());
        assert!(answer_as(TRANSFER_ENCODING, Some("chunked"), true).is_ok());
        assert!(answer_as(TRANSFER_ENCODING, Some("gzip, chunked"), true).is_err());
        assert!(answer(Some("gzip"), true).is_err() && answer(Some("br, identity"), true).is_err());
    }

    #[tokio::test]
    async fn trailers_come_after_what_was_held_back() {
        let trailers = headers(&[("x-sum", TOKEN)]);
        let frames = ["a s3c", "r3t-t0ken s3cr3t"].map(|text| Ok(Frame::data(Bytes::from(text))));
        let frames = frames.into_iter().chain([Ok(Frame::trailers(trailers))]);
        let body = StreamBody::new(futures::stream::iter(frames)).boxed_unsync();
        let collected = clean_body(body, Arc::clone(secrets().redactor())).collect().await.expect("a body");
        assert_eq!(collected.trailers().map(|it| it["x-sum"].as_bytes()), Some(b"[secret token]".as_slice()));
        assert_eq!(collected.to_bytes(), "a [secret token] s3cr3t");
    }
}
