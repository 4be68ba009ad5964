//! A client of the HTTP contract that sends what it is told to, also what no sane client would.

use std::time::Duration;

use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use ureq::Agent;

/// Longer than any answer may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Larger than any answer that a test expects.
const BODY_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A client of one server. Follows no redirect.
#[derive(Clone, Debug)]
pub struct Client {
    origin: String,
    agent: Agent,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub json: Value,
}

impl Client {
    /// A client of the server at `origin`, such as `http://127.0.0.1:3000`.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self::with_patience(origin, TIMEOUT)
    }

    /// One that hangs up after so long without an answer.
    #[must_use]
    pub fn with_patience(origin: &str, patience: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .proxy(None)
            .timeout_global(Some(patience));
        Self { origin: origin.to_owned(), agent: config.build().into() }
    }

    /// Where the server is.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// A request for `path` of this server.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(format!("{}{path}", self.origin))
    }

    /// Sends a request, with a body if there is one.
    ///
    /// # Errors
    /// What was in the way of an answer.
    pub fn try_send(
        &self,
        request: http::request::Builder,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, ureq::Error> {
        let response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let (parts, body) = response?.into_parts();
        let bytes = body.into_with_config().limit(BODY_BYTES_MAX).read_to_vec()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Answer { status: parts.status, headers: parts.headers, text, json })
    }

    /// Sends a request that must be answered.
    #[must_use]
    pub fn send(&self, request: http::request::Builder, body: Option<Vec<u8>>) -> Answer {
        let shown = format!("{:?} {:?}", request.method_ref(), request.uri_ref());
        self.try_send(request, body).unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// GETs `path`, as whoever has `bearer`.
    #[must_use]
    pub fn get(&self, path: &str, bearer: Option<&str>) -> Answer {
        self.send(with_bearer(self.request(Method::GET, path), bearer), None)
    }

    /// Sends `body` as JSON to `path`, as whoever has `bearer`.
    #[must_use]
    pub fn post(&self, path: &str, bearer: Option<&str>, body: &Value) -> Answer {
        let request = with_bearer(self.request(Method::POST, path), bearer);
        let request = request.header("content-type", "application/json");
        self.send(request, Some(body.to_string().into_bytes()))
    }
}

/// `request` with a bearer token, if there is one.
pub(crate) fn with_bearer(
    request: http::request::Builder,
    bearer: Option<&str>,
) -> http::request::Builder {
    match bearer {
        Some(bearer) => request.header("authorization", format!("Bearer {bearer}")),
        None => request,
    }
}

impl Answer {
    /// The text in `field` of the JSON body.
    #[must_use]
    pub fn field(&self, field: &str) -> String {
        let found = self.json[field].as_str();
        found.unwrap_or_else(|| panic!("no {field} in {} {}", self.status, self.text)).to_owned()
    }

    /// A header as text; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// The status and the code of a problem; checks that it is one as the contract has them.
    #[must_use]
    pub fn problem(&self) -> (u16, String) {
        let shown = format!("{} {:?} {}", self.status, self.headers, self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{shown}");
        assert!(!self.header("x-request-id").is_empty(), "no x-request-id: {shown}");
        assert_eq!(self.json["status"], self.status.as_u16(), "{shown}");
        for field in ["type", "title", "detail", "code"] {
            let text = self.json[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "a problem has a {field}: {shown}");
        }
        if self.status == StatusCode::UNAUTHORIZED {
            assert_eq!(self.header("www-authenticate"), "Bearer", "{shown}");
        }
        (self.status.as_u16(), self.field("code"))
    }
}
