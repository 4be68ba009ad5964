//! Errors as HTTP clients read them: `application/problem+json`.
//!
//! Source: RFC 9457, with one member of our own, `code`, which is stable and in kebab-case.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem for people; the same for each problem of the kind.
    title: &'static str,
    /// The HTTP status code.
    status: u16,
    /// What is wrong this time and what to do about it.
    detail: String,
    /// The kind of problem for programs.
    code: &'static str,
    /// What is particular to this kind of problem. Boxed, because few have it and all are returned.
    #[serde(flatten)]
    members: Option<Box<Map<String, Value>>>,
    #[serde(skip)]
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of the kind `code`.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("urn:spaceport:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            members: None,
            headers: Vec::new(),
        }
    }

    /// A 401, which always says how to authenticate.
    #[must_use]
    pub fn unauthorized(
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, title, detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// This problem, with the fields of `members` beside its own.
    ///
    /// Source: RFC 9457 §3.2.
    #[must_use]
    pub fn with_members(mut self, members: &impl Serialize) -> Self {
        if let Ok(Value::Object(members)) = serde_json::to_value(members) {
            self.members = Some(Box::new(members));
        }
        self
    }

    /// This problem, answered with one more header.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer to the client.
    #[must_use]
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let body = serde_json::to_vec(&self).expect("strings and a number are JSON");
        let mut response = Response::new(B::from(Bytes::from(body)));
        *response.status_mut() =
            StatusCode::from_u16(self.status).expect("it was made from a status code");
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_written_as_rfc_9457_says() {
        let problem = Problem::unauthorized("unauthenticated", "Not signed in", "Sign in first.");
        let response: Response<Bytes> = problem.into_response();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        let want = serde_json::json!({
            "type": "urn:spaceport:problem:unauthenticated",
            "title": "Not signed in",
            "status": 401,
            "detail": "Sign in first.",
            "code": "unauthenticated",
        });
        assert_eq!(body, want);
    }

    #[test]
    fn a_problem_has_room_for_more() {
        let more = serde_json::json!({ "mode": "any", "rules": [] });
        let problem = Problem::new(StatusCode::FORBIDDEN, "gate-closed", "Gate closed", "No.");
        let response: Response<Bytes> = problem.with_members(&more).into_response();
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((&body["mode"], &body["code"]), (&more["mode"], &"gate-closed".into()));
    }
}
