//! A service that speaks the API of `OpenAI`: `POST /chat/completions`, answered as a
//! stream of events.
//!
//! Many speak it, and each a little differently. So what is sent keeps to what all of
//! them take, and what comes back is read with patience: see `stream` and `answer`.

mod answer;
mod failure;
mod lines;
mod quota;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::model::{ChatAnswer, ChatRequest, Listener, Model, ModelFailure, Quota};
use bailiwick_domain::sandbox::BoxFuture;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response, Url};
use zeroize::Zeroizing;

use self::answer::Prices;
use self::quota::Kept;
use self::stream::{Progress, Reader};

/// How long a connection may take, with its encryption.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a provider may be silent before and within its answer. Those that think for
/// longer send comments meanwhile.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections kept for the next request: as many as a host asks side by side, as a rule.
const MAX_IDLE_CONNECTIONS: usize = 16;

/// Bytes read of an answer that is an error: far more than is shown of it.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// Says the key, as it is at this moment; nothing where the provider takes none. The
/// error is words about why there is none.
pub type KeySource = Arc<dyn Fn() -> Result<Option<Zeroizing<String>>, String> + Send + Sync>;

/// What has to be known of a service.
#[derive(Clone)]
pub struct OpenAiOptions {
    /// Where its API is, such as `https://openrouter.ai/api/v1`.
    pub base_url: String,
    /// Asked for each request, so that a key may change.
    pub key: KeySource,
    /// The service's own name of the model.
    pub model: String,
    /// The time, by which it is told when a quota is whole again.
    pub clock: Arc<dyn Clock>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long it may be silent.
    pub idle_timeout: Duration,
    /// US dollars for a million tokens of the conversation, where it doesn't say costs.
    pub input_usd_per_million: Option<f64>,
    /// US dollars for a million tokens of the answer, where it doesn't say costs.
    pub output_usd_per_million: Option<f64>,
}

impl OpenAiOptions {
    /// Those of a service that is free or says its costs.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>, key: KeySource, clock: Arc<dyn Clock>) -> Self {
        Self {
            base_url: base_url.into(),
            key,
            model: model.into(),
            clock,
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            input_usd_per_million: None,
            output_usd_per_million: None,
        }
    }
}

impl fmt::Debug for OpenAiOptions {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiOptions")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("input_usd_per_million", &self.input_usd_per_million)
            .field("output_usd_per_million", &self.output_usd_per_million)
            .finish_non_exhaustive()
    }
}

/// The options are of no service.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The address can't be used. It isn't shown, because a password may stand in it.
    #[error("`base_url` {0}, expected an address such as `https://openrouter.ai/api/v1`")]
    BaseUrl(&'static str),
    /// The system gives no HTTP client.
    #[error("there is no HTTP client for `base_url`")]
    Client(#[source] reqwest::Error),
}

/// One model of a service.
#[derive(Debug)]
pub struct OpenAi {
    client: Client,
    url: Url,
    options: OpenAiOptions,
    quota: Kept,
}

impl OpenAi {
    /// Makes ready to ask; connects to nothing.
    pub fn new(options: OpenAiOptions) -> Result<Self, OptionsError> {
        let url = endpoint(&options.base_url).map_err(OptionsError::BaseUrl)?;
        let client = Client::builder()
            .connect_timeout(options.connect_timeout)
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            // The key goes to the service that was named, and by no other way.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(OptionsError::Client)?;
        let quota = Kept::new(options.model.clone(), Arc::clone(&options.clock));
        Ok(Self { client, url, options, quota })
    }

    /// One request and its answer. No failure shows the key, whoever wrote it there.
    async fn answer(&self, request: &ChatRequest, listener: &dyn Listener) -> Result<ChatAnswer, ModelFailure> {
        let key = (self.options.key)().map_err(|reason| failure::shown(ModelFailure::Unauthorized(reason), None))?;
        let key = key.as_deref().map(String::as_str);
        let answer = self.exchange(request, listener, key).await;
        answer.map_err(|failure| failure::shown(failure, key))
    }

    async fn exchange(
        &self,
        request: &ChatRequest,
        listener: &dyn Listener,
        key: Option<&str>,
    ) -> Result<ChatAnswer, ModelFailure> {
        let body = request::body(request, &self.options.model)?;
        let call = self.client.post(self.url.clone()).headers(headers(request, key)?).body(body);
        let limit = self.options.connect_timeout.saturating_add(self.options.idle_timeout);
        let response = within(limit, call.send()).await?.map_err(failure::of_sending)?;
        let rest = self.quota.heed(response.headers());
        if !response.status().is_success() {
            return Err(self.refusal(response, rest).await);
        }
        let answer = self.read(response, listener).await?;
        let prices = Prices::new(self.options.input_usd_per_million, self.options.output_usd_per_million);
        answer.complete(&self.options.model, &request.messages, prices)
    }

    async fn read(&self, mut response: Response, listener: &dyn Listener) -> Result<answer::Assembly, ModelFailure> {
        let mut reader = Reader::new(listener);
        loop {
            match within(self.options.idle_timeout, response.chunk()).await {
                Ok(Ok(Some(bytes))) => match reader.feed(&bytes)? {
                    Progress::More => {}
                    Progress::Done => return reader.end(None),
                },
                Ok(Ok(None)) => return reader.end(None),
                Ok(Err(error)) => return reader.end(Some(ModelFailure::BrokenOff(failure::chain(error)))),
                Err(silence) => return reader.end(Some(silence)),
            }
        }
    }

    /// What an answer that is an error means, the quota of which is used up for `rest`.
    async fn refusal(&self, mut response: Response, rest: Option<Duration>) -> ModelFailure {
        let status = response.status().as_u16();
        let retry_after = failure::retry_after(response.headers()).or(rest);
        let mut body = Vec::new();
        while body.len() < MAX_ERROR_BYTES {
            let Ok(Ok(Some(bytes))) = within(self.options.idle_timeout, response.chunk()).await else { break };
            let room = MAX_ERROR_BYTES - body.len();
            body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        let failure = failure::of_status(status, &body, retry_after);
        if let ModelFailure::RateLimited { retry_after: Some(wait), .. } = &failure {
            self.quota.rests_for(*wait);
        }
        failure
    }
}

impl Model for OpenAi {
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>> {
        Box::pin(async move {
            let answer = tokio::time::timeout(request.deadline, self.answer(request, listener)).await;
            answer.unwrap_or(Err(ModelFailure::Timeout))
        })
    }

    fn quotas(&self) -> Vec<Quota> {
        self.quota.last().into_iter().collect()
    }
}

/// What `work` gives, unless it takes longer than `limit`.
async fn within<T>(limit: Duration, work: impl Future<Output = T> + Send) -> Result<T, ModelFailure> {
    tokio::time::timeout(limit, work).await.map_err(|_| ModelFailure::Timeout)
}

/// Whether `base_url` can be the address of a service, or what it is or has that none may.
pub fn check_base_url(base_url: &str) -> Result<(), &'static str> {
    endpoint(base_url).map(drop)
}

/// The address that requests go to.
fn endpoint(base: &str) -> Result<Url, &'static str> {
    let url = format!("{}/chat/completions", base.trim_end_matches('/'));
    let (Ok(given), Ok(url)) = (Url::parse(base), Url::parse(&url)) else {
        return Err("is no address");
    };
    if !matches!(given.scheme(), "http" | "https") {
        return Err("has another scheme than http and https");
    }
    if !given.username().is_empty() || given.password().is_some() {
        return Err("has a user in it");
    }
    if given.query().is_some() || given.fragment().is_some() {
        return Err("has a query or a fragment");
    }
    Ok(url)
}

fn headers(request: &ChatRequest, key: Option<&str>) -> Result<HeaderMap, ModelFailure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
    if let Some(key) = key {
        let bearer = Zeroizing::new(format!("Bearer {key}"));
        let unfit = |_| ModelFailure::Unauthorized("the key can't stand in a header".to_owned());
        let mut value = HeaderValue::from_str(&bearer).map_err(unfit)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let trace = [("traceparent", Some(request.trace.to_string())), ("tracestate", request.trace_state.clone())];
    for (name, value) in trace {
        // What others put into the trace may be no header; the request does without it.
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    Ok(headers)
}
