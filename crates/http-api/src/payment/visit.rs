//! One request that comes with a payment, from the first time it goes in to the answer.

use axum::{body::Body, response::IntoResponse as _};
use bytes::Bytes;
use domain::{PaymentId, Wallet, hex};
use http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts, uri::PathAndQuery};
use records::{NewPayment, PaymentRecord};
use sha2::{Digest as _, Sha256};
use tower::{Service, ServiceExt as _};
use x402::{
    DecodeError, Decoded, NONCE_USED, PAYMENT_SIGNATURE, Payment, PaymentState, Terms, Version,
    X_PAYMENT, verify,
};

use super::{
    challenge::{challenge, terms},
    in_place::in_place_of,
    kept::{self, Turn},
    quote::{Opened, Quote, opened},
    receipt::{self, Time},
    resolve::Outcome,
    settle::{Purpose, is_signed, new_payment, settle},
};
use crate::{Edge, Platform, config::TillConfig, error::ApiError, idempotency::IDEMPOTENCY_KEY};

/// A request that comes with a payment.
pub(super) struct Visit<'a, P, S> {
    pub(super) edge: &'a Edge<P>,
    pub(super) till: &'a TillConfig,
    pub(super) inner: S,
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    pub(super) decoded: Decoded,
}

impl<P, S> Visit<'_, P, S>
where
    P: Platform,
    S: Service<Request<Body>, Response = Response<Body>> + Clone,
{
    pub(super) async fn serve(self) -> Result<Response<Body>, S::Error> {
        let earlier = match self.earlier().await {
            Ok(earlier) => earlier,
            Err(error) => return Ok(self.edge.refuse(&self.parts, error).await.map(Body::from)),
        };
        let settled = earlier.settled_for(&self.fingerprint()).map(|it| (it, Time::First));
        let first = self.request(earlier.id, settled);
        let (quote, headers) = match opened(self.inner.clone().oneshot(first).await?).await {
            Opened::Quote(quote, headers) => (quote, headers),
            // Free, refused, or done before.
            Opened::Other(response) => return Ok(self.say_what_became(&earlier, response).await),
        };
        let url = self.edge.config.site.url_of(&self.parts.uri);
        let terms = terms(self.till, &quote, url);
        match self.take(&quote, &terms, earlier.record).await {
            Ok((payment, record)) => {
                self.work(&terms, &quote, headers, payment.version(), record).await
            }
            Err(refusal) => Ok(in_place_of(headers, refusal)),
        }
    }

    /// What is known of the payment from before.
    async fn earlier(&self) -> Result<Earlier, ApiError> {
        let Ok(payment) = &self.decoded else { return Ok(Earlier { id: None, record: None }) };
        let records = self.edge.records().await?;
        let record = records.payment(&payment.id()).await?;
        // All of it is on the chain for everybody to copy, but who has the signature has seen it.
        let record = record.filter(|it| it.state != PaymentState::Refused);
        let record = record.filter(|it| payment.is_in(&it.payment.question));
        let mut id = payment.id();
        if let Some(identifier) = payment.identifier().filter(|_| record.is_none()) {
            let payer = Wallet::from(payment.payer());
            let other = records.payment_of_identifier(&payer, identifier.as_str()).await?;
            if let Some(other) = other.filter(|it| it.state != PaymentState::Refused) {
                id = other.payment.id;
            }
        }
        Ok(Earlier { id: Some(id), record })
    }

    /// The request as it goes in. It is known again by `id`, and `paid` if there is a payment.
    fn request(
        &self,
        id: Option<PaymentId>,
        paid: Option<(&PaymentRecord, Time)>,
    ) -> Request<Body> {
        let mut parts = self.parts.clone();
        parts.headers.remove(PAYMENT_SIGNATURE);
        parts.headers.remove(X_PAYMENT);
        if let Some(id) = id {
            // With what it pays for, so that another request with the same payment is another one.
            let key = format!("x402-{id}-{}", &self.fingerprint()[..16]);
            let key = HeaderValue::try_from(key).expect("an id is visible ASCII");
            parts.headers.entry(IDEMPOTENCY_KEY).or_insert(key);
        }
        if let Some((record, time)) = paid {
            receipt::put(self.edge, &mut parts, record, time);
        }
        Request::from_parts(parts, Body::from(self.body.clone()))
    }

    /// Checks the payment and has it settled. The error is the answer.
    async fn take(
        &self,
        quote: &Quote,
        terms: &Terms,
        earlier: Option<PaymentRecord>,
    ) -> Result<(&Payment, PaymentRecord), Response<Body>> {
        let refused = |version: Version, reason: &str, payment: Option<&Payment>| {
            let mut response = challenge(self.edge, self.till, terms, Some(reason));
            if let Some(payment) = payment {
                receipt::put_refusal(response.headers_mut(), version, payment, reason);
            }
            response
        };
        let payment = match &self.decoded {
            Ok(payment) => payment,
            Err(DecodeError::Malformed(error)) => {
                return Err(ApiError::MalformedPayment(error.to_string()).into_response());
            }
            Err(DecodeError::Refused { version, refusal }) => {
                return Err(refused(*version, refusal.reason(), None));
            }
        };
        let failed = |error| logged(error).into_response();
        let new = if let Some(record) = earlier {
            // It was checked, and may have been settled. Then it does not matter any more whether its
            // time is over or the price has changed since: a client that is told so would pay again.
            record.payment
        } else {
            let verified = verify(payment, &terms.requirements(), self.edge.platform.now())
                .map_err(|it| refused(payment.version(), it.reason(), Some(payment)))?;
            if !is_signed(self.edge, &verified).await.map_err(failed)? {
                return Err(refused(payment.version(), BAD_SIGNATURE, Some(payment)));
            }
            let purpose = Purpose {
                question: terms.settle_request(payment, &verified),
                identifier: payment.identifier().map(|it| it.as_str().to_owned()),
                account: quote.account.clone(),
                fingerprint: self.fingerprint_for(quote),
            };
            new_payment(&verified, purpose)
        };
        let outcome = settle(self.edge, self.till, &new).await;
        match outcome.map_err(failed)? {
            Outcome::Settled(record) => Ok((payment, *record)),
            Outcome::Refused(reason) => Err(refused(payment.version(), &reason, Some(payment))),
            Outcome::Pending(id) => Err(ApiError::SettlementPending(id).into_response()),
            Outcome::Unavailable => Err(ApiError::FacilitatorUnavailable.into_response()),
            Outcome::IdentifierReused => Err(ApiError::PaymentIdentifierReused.into_response()),
        }
    }

    /// SHA-256 of what is paid for, in hexadecimal.
    fn fingerprint(&self) -> String {
        // Not the host: whichever name it came to, it is the same request.
        let target = self.parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let line = format!("{} {target}\n", self.parts.method);
        hex(&Sha256::new().chain_update(line).chain_update(&self.body).finalize())
    }

    /// The same, for a handler that keeps no books with who is calling: its answer is kept, and a
    /// payment that is on the chain is no secret.
    fn fingerprint_for(&self, quote: &Quote) -> String {
        if quote.account.is_some() {
            return self.fingerprint();
        }
        let mut hasher = Sha256::new().chain_update(self.fingerprint());
        for name in [header::AUTHORIZATION, header::COOKIE] {
            for value in self.parts.headers.get_all(name) {
                hasher = hasher.chain_update(b"\n").chain_update(value);
            }
        }
        hex(&hasher.finalize())
    }

    /// Sends the request in again, paid. `headers` are those of the handler's first answer.
    async fn work(
        &self,
        terms: &Terms,
        quote: &Quote,
        headers: HeaderMap,
        version: Version,
        record: PaymentRecord,
    ) -> Result<Response<Body>, S::Error> {
        let fingerprint = self.fingerprint_for(quote);
        let used_otherwise = |terms: &Terms| {
            let mut refusal = challenge(self.edge, self.till, terms, Some(NONCE_USED));
            if let Ok(payment) = &self.decoded {
                receipt::put_refusal(refusal.headers_mut(), version, payment, NONCE_USED);
            }
            refusal
        };
        let mut hold = None;
        if quote.account.is_none() {
            match kept::turn(self.edge, &record, &fingerprint).await {
                Ok(Turn::Ours(id)) => hold = Some(id),
                Ok(Turn::Answered(response)) => {
                    return Ok(self.with_settled(version, &record, response));
                }
                Ok(Turn::UsedOtherwise) => return Ok(in_place_of(headers, used_otherwise(terms))),
                Err(error) => return Ok(in_place_of(headers, logged(error).into_response())),
            }
        }
        let request = self.request(Some(record.payment.id), Some((&record, Time::Second)));
        let response = match opened(self.inner.clone().oneshot(request).await?).await {
            Opened::Other(response) => response,
            Opened::Quote(quote, headers) => {
                let url = terms.resource.url.clone();
                let terms = super::challenge::terms(self.till, &quote, url);
                if record.payment.fingerprint != fingerprint {
                    return Ok(in_place_of(headers, used_otherwise(&terms)));
                }
                // The price went up, or others have spent of the balance.
                let NewPayment { amount, account, .. } = &record.payment;
                let error = format!("{amount} USD were paid to {account}, which has too little");
                in_place_of(headers, challenge(self.edge, self.till, &terms, Some(&error)))
            }
        };
        let response = match &hold {
            Some(hold) => kept::keep(self.edge, &record, hold, response).await,
            None => response,
        };
        let response = receipt::say_what_became_of_it(&record, response).await;
        Ok(self.with_settled(version, &record, response))
    }

    /// `response` to a request that was not to be paid for any more, with what became of the payment
    /// that came with it.
    async fn say_what_became(&self, earlier: &Earlier, response: Response<Body>) -> Response<Body> {
        let (Some(id), Ok(payment)) = (earlier.id, &self.decoded) else { return response };
        let fingerprint = self.fingerprint();
        if response.status().is_success() {
            // By this payment, or by the one that its identifier names.
            let record = match self.edge.records().await {
                Ok(records) => records.payment(&id).await.ok().flatten(),
                Err(_) => None,
            };
            let record = record.filter(|it| it.payment.fingerprint == fingerprint);
            let record = record.filter(|it| it.state == PaymentState::Settled);
            let is_proven = earlier.record.is_some() || self.is_signed_by_payer();
            return match record.filter(|_| is_proven) {
                Some(record) => self.with_settled(payment.version(), &record, response),
                None => response,
            };
        }
        match &earlier.record {
            Some(record) => receipt::say_what_became_of_it(record, response).await,
            None => response,
        }
    }

    /// Whether the payer's key made the signature, whatever it is for.
    fn is_signed_by_payer(&self) -> bool {
        self.decoded.as_ref().is_ok_and(Payment::is_signed_by_key)
    }

    fn with_settled(
        &self,
        version: Version,
        record: &PaymentRecord,
        mut response: Response<Body>,
    ) -> Response<Body> {
        let url = self.edge.config.site.url_of(&self.parts.uri);
        let (key, headers) = (&self.till.key, response.headers_mut());
        receipt::put_settled(self.edge, key, headers, version, record, &url);
        response
    }
}

/// What is known from before of the payment that came with a request.
struct Earlier {
    /// By which the handler knows the request again: the payment's, or that of an earlier one if the
    /// payer gave both one identifier. None of it is proven.
    id: Option<PaymentId>,
    /// It, if it is this payment to the last digit, and may have been settled.
    record: Option<PaymentRecord>,
}

impl Earlier {
    /// It, if it was settled for the request with this fingerprint.
    fn settled_for(&self, fingerprint: &str) -> Option<&PaymentRecord> {
        let record = self.record.as_ref().filter(|it| it.state == PaymentState::Settled);
        record.filter(|it| it.payment.fingerprint == fingerprint)
    }
}

/// What a contract does not call its own signature.
const BAD_SIGNATURE: &str = "invalid_exact_evm_payload_signature";

/// `error`, with its cause in the log: no layer of a handler's does that for the till.
fn logged(error: ApiError) -> ApiError {
    if let Some(cause) = std::error::Error::source(&error) {
        tracing::error!(cause = cause.to_string(), "a payment could not be taken: {error}");
    }
    error
}
