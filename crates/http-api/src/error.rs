//! Why a request failed, and how that is said.

use std::{error::Error, sync::Arc};

use axum::response::{IntoResponse, Response};
use credentials::Scope;
use domain::{NameError, PaymentId};
use gate::StatementError;
use http::{HeaderValue, StatusCode, header};
use limits::Standing;
use problem::Problem;
use records::{DatabaseError, KeyReused, TopUpError};
use serde_json::json;

use crate::{
    admission::Admission, counting::AlsoLimited, platform::KeyValueError, view::GateClosedView,
};

/// Why a request failed.
///
/// `Display` is what the client reads. What the client must not read is in `source`.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("this path leads nowhere")]
    NotFound,
    #[error("this path does not take this method; the header Allow says which it takes")]
    MethodNotAllowed,
    #[error("the body must be JSON, with the header Content-Type: application/json")]
    UnsupportedMediaType,
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    #[error("the body is not JSON: {0}")]
    MalformedJson(String),
    #[error("the body has a field that is not known here: {0}")]
    UnknownField(String),
    #[error("the body is not what is expected here: {0}")]
    InvalidBody(String),
    #[error("{0}")]
    InvalidQuery(String),
    #[error("sign in first: {0}")]
    Unauthenticated(&'static str),
    #[error("a request with a cookie must come from our own pages; send the token as a bearer")]
    CrossSiteRequest,
    #[error("only the operator may do this")]
    Forbidden,
    #[error("sign in with the wallet itself for this: a key can't do it")]
    SessionRequired,
    #[error("the key was not made for this: it lacks the scope {0}")]
    InsufficientScope(Scope),
    #[error("{0}")]
    InvalidKey(&'static str),
    #[error("there is no such key")]
    KeyNotFound,
    #[error("the wallet has as many keys as it can have; revoke one first")]
    TooManyKeys,
    #[error("too many requests: {n} every {period} s", n = .0.allowance.requests(), period = .0.allowance.period().as_secs())]
    RateLimited(Standing),
    #[error("no more spaces for now: {n} every {period} s", n = .0.allowance.requests(), period = .0.allowance.period().as_secs())]
    ProvisionLimited(Standing),
    #[error("this wallet does not hold what is asked for")]
    GateClosed(Box<Admission>),
    #[error("what the wallet holds can't be read now; nothing was changed, try again shortly")]
    GateUnavailable,
    #[error("the header Gate-Attestation: {0}")]
    MalformedAttestation(StatementError),
    #[error("only an owner of the space may do this")]
    OwnerOnly,
    #[error("there is no such space")]
    SpaceNotFound,
    #[error("there is no app {0:?}; GET /v1/apps lists those there are")]
    AppNotFound(String),
    #[error(transparent)]
    InvalidName(#[from] NameError),
    #[error("the name {0:?} is reserved")]
    ReservedName(String),
    #[error("{0}")]
    InvalidTitle(&'static str),
    #[error(transparent)]
    InvalidSettings(#[from] settings::SettingsError),
    #[error("the name {0:?} is taken")]
    NameTaken(String),
    #[error("no host has room for this app now; try again later")]
    NoCapacity,
    #[error("{0}")]
    InvalidHost(&'static str),
    #[error("the host {0:?} is there and its worker uses its key; choose another name")]
    HostExists(String),
    #[error("there is no such host")]
    HostNotFound,
    #[error("{0}")]
    InvalidReason(&'static str),
    #[error("what is needed: {0}")]
    InvalidContact(&'static str),
    #[error("this month has no invoice")]
    InvoiceNotFound,
    #[error("the header Idempotency-Key takes 1 to 128 visible ASCII characters")]
    InvalidIdempotencyKey,
    #[error("this Idempotency-Key was used for another request")]
    IdempotencyKeyReused,
    #[error(transparent)]
    SignIn(#[from] siwe::VerifyError),
    #[error("this nonce has been used; get a new one")]
    NonceUsed,
    #[error("the wallet may be a contract, and its chain can't be asked now; send the same again")]
    ChainUnavailable(#[source] Arc<dyn Error + Send + Sync>),
    #[error("the payment header is not one: {0}")]
    MalformedPayment(String),
    #[error("it is not known yet what became of the payment; send the same payment again")]
    SettlementPending(PaymentId),
    #[error("payments can't be taken now; nothing was taken, send the same again")]
    FacilitatorUnavailable,
    #[error("the payment identifier was used for another request; choose another")]
    PaymentIdentifierReused,
    #[error("there is no such payment")]
    PaymentNotFound,
    #[error("nothing is to be paid here")]
    PaymentsOff,
    #[error("an amount to pay is more than nothing")]
    InvalidAmount,
    #[error("the webhook is not believed: {0}")]
    BadWebhook(String),
    #[error("the webhook can't be read: {0}")]
    MalformedWebhook(String),
    #[error("{0}")]
    InvalidDomain(String),
    #[error("another space has this domain; its owner can give it back")]
    DomainTaken,
    #[error("the space has as many domains as it can have; remove one first")]
    TooManyDomains,
    #[error("the space has no such domain")]
    DomainNotFound,
    #[error("no domain can be brought along here")]
    DomainsUnavailable,
    #[error("the space is being deleted")]
    SpaceDeleting,
    #[error("the space is suspended")]
    Suspended,
    #[error("try again shortly")]
    StoreUnavailable(#[source] Arc<dyn Error + Send + Sync>),
    #[error("something is wrong on our side")]
    Internal(#[source] Arc<dyn Error + Send + Sync>),
}

impl ApiError {
    /// A store failed, with this cause.
    pub(crate) fn store(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::StoreUnavailable(Arc::from(cause.into()))
    }

    /// We are wrong ourselves, with this cause.
    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// The whole contract with clients, in one table: status, stable code, title.
    const fn row(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::NotFound => (404, "not-found", "Not found"),
            Self::MethodNotAllowed => (405, "method-not-allowed", "Method not allowed"),
            Self::UnsupportedMediaType => (415, "unsupported-media-type", "Not JSON"),
            Self::BodyTooLarge(_) => (413, "body-too-large", "Body too large"),
            Self::MalformedJson(_) => (400, "malformed-json", "Malformed JSON"),
            Self::UnknownField(_) => (400, "unknown-field", "Unknown field"),
            Self::InvalidBody(_) => (400, "invalid-body", "Invalid body"),
            Self::InvalidQuery(_) => (400, "invalid-query", "Invalid query"),
            Self::Unauthenticated(_) => (401, "unauthenticated", "Not signed in"),
            Self::CrossSiteRequest => (403, "cross-site-request", "Cross-site request"),
            Self::Forbidden => (403, "forbidden", "Not allowed"),
            Self::SessionRequired => (403, "session-required", "Session required"),
            Self::InsufficientScope(_) => (403, "insufficient-scope", "Insufficient scope"),
            Self::InvalidKey(_) => (400, "invalid-key", "Not a key that can be made"),
            Self::KeyNotFound => (404, "key-not-found", "No such key"),
            Self::TooManyKeys => (409, "too-many-keys", "Too many keys"),
            Self::RateLimited(_) | Self::ProvisionLimited(_) => {
                (429, "rate-limited", "Too many requests")
            }
            Self::GateClosed(_) => (403, "gate-closed", "Gate closed"),
            Self::GateUnavailable => (503, "gate-unavailable", "Gate unavailable"),
            Self::MalformedAttestation(_) => {
                (400, "malformed-attestation", "Not a balance statement")
            }
            Self::OwnerOnly => (403, "forbidden", "Not allowed"),
            Self::SpaceNotFound => (404, "space-not-found", "No such space"),
            Self::AppNotFound(_) => (404, "app-not-found", "No such app"),
            Self::InvalidName(_) | Self::ReservedName(_) => {
                (400, "invalid-name", "Not a name for a space")
            }
            Self::InvalidTitle(_) => (400, "invalid-title", "Not a title for a space"),
            Self::InvalidSettings(_) => (400, "invalid-settings", "Invalid settings"),
            Self::NameTaken(_) => (409, "name-taken", "Name taken"),
            Self::NoCapacity => (503, "no-capacity", "No capacity"),
            Self::InvalidHost(_) => (400, "invalid-host", "Not a name for a host"),
            Self::HostExists(_) => (409, "host-exists", "Host exists"),
            Self::HostNotFound => (404, "host-not-found", "No such host"),
            Self::InvalidReason(_) => (400, "invalid-reason", "Not a reason"),
            Self::InvalidContact(_) => (400, "invalid-contact", "Not a contact"),
            Self::InvoiceNotFound => (404, "invoice-not-found", "No such invoice"),
            Self::InvalidIdempotencyKey => (400, "invalid-idempotency-key", "Invalid key"),
            Self::IdempotencyKeyReused => (422, "idempotency-key-reused", "Key reused"),
            Self::SignIn(error) => sign_in_row(error),
            Self::NonceUsed => (401, "nonce-used", "Nonce used"),
            Self::ChainUnavailable(_) => (503, "chain-unavailable", "Chain unavailable"),
            Self::MalformedPayment(_) => (400, "malformed-payment", "Malformed payment"),
            Self::SettlementPending(_) => (503, "settlement-pending", "Settlement pending"),
            Self::FacilitatorUnavailable => {
                (503, "facilitator-unavailable", "Facilitator unavailable")
            }
            Self::PaymentIdentifierReused => {
                (409, "payment-identifier-reused", "Payment identifier reused")
            }
            Self::PaymentNotFound => (404, "payment-not-found", "No such payment"),
            Self::PaymentsOff => (409, "payments-off", "Nothing is to be paid"),
            Self::InvalidAmount => (400, "invalid-amount", "Not an amount to pay"),
            Self::BadWebhook(_) => (401, "bad-webhook", "Webhook not believed"),
            Self::MalformedWebhook(_) => (400, "malformed-webhook", "Malformed webhook"),
            Self::InvalidDomain(_) => (400, "invalid-domain", "Not a domain to bring along"),
            Self::DomainTaken => (409, "domain-taken", "Domain taken"),
            Self::TooManyDomains => (409, "too-many-domains", "Too many domains"),
            Self::DomainNotFound => (404, "domain-not-found", "No such domain"),
            Self::DomainsUnavailable => (503, "domains-unavailable", "No custom domains here"),
            Self::SpaceDeleting => (409, "space-deleting", "Space is being deleted"),
            Self::Suspended => (409, "suspended", "Space is suspended"),
            Self::StoreUnavailable(_) => (503, "store-unavailable", "Temporarily unavailable"),
            Self::Internal(_) => (500, "internal", "Internal error"),
        }
    }

    /// How the error is said to the client.
    fn problem(&self) -> Problem {
        let (status, code, title) = self.row();
        let detail = match self {
            Self::SignIn(error) => chain(error),
            _ => self.to_string(),
        };
        if status == 401 {
            return Problem::unauthorized(code, title, detail);
        }
        let status = StatusCode::from_u16(status).expect("the table has status codes only");
        let problem = Problem::new(status, code, title, detail);
        let problem = match self {
            Self::GateClosed(admission) => problem.with_members(&GateClosedView::of(admission)),
            Self::SettlementPending(id) => problem.with_members(&json!({ "payment": id })),
            _ => problem,
        };
        match self.retry_after_s() {
            Some(seconds) => problem.with_header(header::RETRY_AFTER, HeaderValue::from(seconds)),
            None => problem,
        }
    }

    /// Whether it is about who is calling, and not about what the caller wants.
    pub(crate) const fn is_of_caller(&self) -> bool {
        matches!(
            self,
            Self::Unauthenticated(_) | Self::CrossSiteRequest | Self::InsufficientScope(_)
        )
    }

    /// When it is worth trying again, where that is known.
    fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::StoreUnavailable(_) => Some(1),
            Self::SettlementPending(_) => Some(3),
            Self::GateUnavailable | Self::ChainUnavailable(_) | Self::FacilitatorUnavailable => {
                Some(5)
            }
            Self::NoCapacity => Some(60),
            Self::RateLimited(standing) | Self::ProvisionLimited(standing) => {
                Some(standing.level.retry_after_s())
            }
            _ => None,
        }
    }
}

const fn sign_in_row(error: &siwe::VerifyError) -> (u16, &'static str, &'static str) {
    use siwe::VerifyError as E;
    match error {
        E::Malformed(_) => (400, "malformed-message", "Not a sign-in message"),
        E::WrongDomain { .. } | E::WrongUri { .. } | E::WrongScheme { .. } => {
            (401, "wrong-domain", "For another site")
        }
        E::ChainNotAllowed { .. } => (401, "chain-not-allowed", "Chain not allowed"),
        E::NonceUnknown => (401, "nonce-unknown", "Nonce unknown"),
        E::IssuedInFuture | E::NotYetValid => (401, "message-not-yet-valid", "Not valid yet"),
        E::Expired => (401, "message-expired", "Message expired"),
        E::BadSignature(_) => (401, "bad-signature", "Bad signature"),
    }
}

/// An error and its causes, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// What the client must not read of an error, on its way to the log.
#[derive(Clone)]
pub(crate) struct Cause(pub(crate) String);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response: Response = self.problem().into_response();
        if let Some(source) = self.source().filter(|_| response.status().is_server_error()) {
            response.extensions_mut().insert(Cause(chain(source)));
        }
        if let Self::ProvisionLimited(standing) = self {
            response.extensions_mut().insert(AlsoLimited(standing));
        }
        response
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        Self::store(error)
    }
}

impl From<KeyValueError> for ApiError {
    fn from(error: KeyValueError) -> Self {
        Self::store(error)
    }
}

impl From<TopUpError> for ApiError {
    fn from(error: TopUpError) -> Self {
        match error {
            TopUpError::NotEnough => Self::internal("a balance is too low that nobody asked for"),
            TopUpError::Gone => Self::SpaceNotFound,
            TopUpError::KeyReused(_) => Self::IdempotencyKeyReused,
            TopUpError::Database(error) => error.into(),
        }
    }
}

impl From<KeyReused> for ApiError {
    fn from(_: KeyReused) -> Self {
        Self::IdempotencyKeyReused
    }
}
