//! What a visitor reads where no space answers: a page for people, a problem for programs.

use std::{collections::BTreeMap, sync::LazyLock};

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{StepRecord, StepState};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use problem::Problem;
use sha2::{Digest, Sha256};

use super::{Body, Response};

const CSS: &str = include_str!("../../templates/notice.css");

/// The page runs nothing, loads nothing and is shown in nobody's frame; its one style is ours.
static CONTENT_SECURITY_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(CSS));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 is visible ASCII")
});

/// Why a request was not answered by a space.
#[derive(Clone, Copy, Debug)]
pub(super) enum Notice<'a> {
    /// The request is for no one host.
    BadHost,
    /// The request's body is malformed or broke off.
    BadBody,
    /// The request is for a tunnel to somewhere else.
    NoTunnel,
    /// No space has this host.
    Unknown { host: &'a str },
    /// The space is on its way.
    Starting { title: &'a str, steps: &'a [StepRecord] },
    /// The space is stopped and its data is kept.
    Stopped,
    /// The edge has the space stopped and its data is kept.
    Suspended { pay_url: Option<&'a str> },
    /// The space could not be started. Why is its owner's to know, not every visitor's.
    Failed,
    /// The space is on its way out.
    Removing,
    /// The space should answer, and does not.
    Unreachable,
}

impl Notice<'_> {
    /// The whole contract with visitors in one table: status, stable code, heading.
    fn row(&self) -> (StatusCode, &'static str, &'static str) {
        #[rustfmt::skip]
        let row = match self {
            Self::BadHost         => (StatusCode::BAD_REQUEST,         "bad-host",          "This request names no host"),
            Self::BadBody         => (StatusCode::BAD_REQUEST,         "bad-body",          "This request's body is not whole"),
            Self::NoTunnel        => (StatusCode::METHOD_NOT_ALLOWED,  "no-tunnel",         "This is no forward proxy"),
            Self::Unknown { .. }  => (StatusCode::NOT_FOUND,           "space-not-found",   "There is no space here"),
            Self::Starting { .. } => (StatusCode::SERVICE_UNAVAILABLE, "space-starting",    "This space is starting"),
            Self::Stopped         => (StatusCode::SERVICE_UNAVAILABLE, "space-stopped",     "This space is stopped"),
            Self::Suspended { .. } => (StatusCode::SERVICE_UNAVAILABLE, "suspended",        "This space is suspended"),
            Self::Failed          => (StatusCode::SERVICE_UNAVAILABLE, "space-failed",      "This space could not be started"),
            Self::Removing        => (StatusCode::GONE,                "space-gone",        "This space is being removed"),
            Self::Unreachable     => (StatusCode::BAD_GATEWAY,         "space-unreachable", "This space does not answer"),
        };
        row
    }

    /// What is the matter and what to do about it.
    fn sentence(&self) -> String {
        let fixed = match self {
            Self::Unknown { host } => {
                return format!(
                    "No space has the address {host}. Check the spelling; a space that was deleted \
                     is gone for good."
                );
            }
            Self::Suspended { pay_url: Some(pay_url) } => {
                return format!(
                    "Its balance is used up. Its data is kept, and it runs again as soon as \
                     somebody pays for it, as anybody can: POST to {pay_url}, by x402."
                );
            }
            Self::Suspended { pay_url: None } => "The operator has stopped it. Its data is kept.",
            Self::Starting { .. } => "It opens here by itself as soon as it is ready.",
            Self::BadHost => "Send exactly one valid Host header.",
            Self::BadBody => "Send it again, with a body as its headers announce it.",
            Self::NoTunnel => "Send requests for a space to its own address.",
            Self::Stopped => "Its data is kept. Its owner can start it again.",
            Self::Failed => "Its owner can see what went wrong and try again.",
            Self::Removing => "Its owner has deleted it.",
            Self::Unreachable => "It is being looked after. Try again in a moment.",
        };
        fixed.to_owned()
    }

    /// Seconds after which it is worth asking again, if it is.
    const fn retry_after_seconds(&self) -> Option<u16> {
        match self {
            Self::Starting { .. } => Some(1),
            _ => None,
        }
    }

    /// The answer, in the form that the client prefers.
    pub(super) fn answer(&self, accept: Option<&HeaderValue>) -> Response {
        let prefers_json = accept.is_some_and(prefers_json);
        let mut response = if prefers_json { self.problem() } else { self.page() };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn problem(&self) -> Response {
        let (status, code, title) = self.row();
        let mut problem = Problem::new(status, code, title, self.sentence());
        if let Self::Suspended { pay_url: Some(pay_url) } = self {
            problem = problem.with_members(&BTreeMap::from([("pay_url", pay_url)]));
        }
        let response: http::Response<Bytes> = problem.into_response();
        response.map(whole)
    }

    fn page(&self) -> Response {
        let (status, _, fixed_heading) = self.row();
        let (heading, steps) = match self {
            Self::Starting { title, steps } => (format!("{title} is starting"), *steps),
            _ => (fixed_heading.to_owned(), &[][..]),
        };
        let page = Page {
            heading: &heading,
            sentence: &self.sentence(),
            steps: steps.iter().map(StepView::from).collect(),
            refresh_seconds: self.retry_after_seconds(),
            css: CSS,
        };
        let html = page.render().expect("the page is written into memory");
        let mut response = http::Response::new(whole(html.into()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY.clone());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

/// A body that is known as a whole.
pub(super) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Page<'a> {
    heading: &'a str,
    sentence: &'a str,
    steps: Vec<StepView<'a>>,
    refresh_seconds: Option<u16>,
    css: &'static str,
}

struct StepView<'a> {
    name: String,
    state: &'a str,
}

impl From<&StepRecord> for StepView<'_> {
    fn from(step: &StepRecord) -> Self {
        let state = match step.state {
            StepState::Running => "running",
            StepState::Done => "done",
            StepState::Failed => "failed",
        };
        Self { name: step.name.replace('-', " "), state }
    }
}

/// Whether a client would rather have JSON than a page. Without a preference it gets the page.
///
/// Source: RFC 9110 §12.5.1.
fn prefers_json(accept: &HeaderValue) -> bool {
    let ranges: Vec<&str> = accept.to_str().unwrap_or_default().split(',').collect();
    let json = ["application/json", "application/problem+json"];
    let json = json.into_iter().map(|it| Liking::of(it, &ranges)).max();
    Some(Liking::of("text/html", &ranges)) < json
}

/// How much a client likes a media type. Of two that weigh the same, it prefers what it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Liking {
    /// In thousandths.
    weight: u16,
    /// 1 for `*/*`, 2 for `text/*`, 3 for `text/html`.
    specificity: u8,
}

impl Liking {
    /// What the most specific of the `ranges` says of `media_type`.
    fn of(media_type: &str, ranges: &[&str]) -> Self {
        let kind = media_type.split('/').next().unwrap_or_default();
        let mut best = Self::default();
        for range in ranges {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let specificity = match name.split_once('/') {
                _ if name == media_type => 3,
                Some((range_kind, "*")) if range_kind == kind => 2,
                Some(("*", "*")) => 1,
                _ => continue,
            };
            let weight = parts.find_map(|it| it.strip_prefix("q=")).map_or(Some(1000), thousandths);
            if best.specificity < specificity {
                best = Self { weight: weight.unwrap_or(0), specificity };
            }
        }
        // However clearly a type is refused, it is not liked.
        if best.weight == 0 { Self::default() } else { best }
    }
}

/// `0.5` as 500.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: u16 = whole.parse().ok().filter(|it| *it <= 1)?;
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|it| *it <= 999)?;
    Some((whole * 1000 + fraction).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_only_for_those_who_prefer_it() {
        #[rustfmt::skip]
        let rows = [
            ("",                                                              false),
            ("*/*",                                                           false),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false),
            ("application/json",                                              true),
            ("application/problem+json",                                      true),
            ("Application/JSON; charset=utf-8",                               true),
            ("application/*",                                                 true),
            ("application/json, text/plain, */*",                             true),
            ("application/json, text/plain, */*;q=0.9",                       true),
            ("text/html;q=0.5, application/json;q=0.6",                       true),
            ("text/html;q=0.61, application/json;q=0.6",                      false),
            ("text/html, application/json",                                   false),
            ("application/json;q=0",                                          false),
            ("application/json;q=x",                                          false),
            ("nonsense",                                                      false),
        ];
        for (accept, want) in rows {
            assert_eq!(prefers_json(&HeaderValue::from_static(accept)), want, "{accept}");
        }
    }
}
