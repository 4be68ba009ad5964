//! `POST /v1/spaces`: a wallet wants a space.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{FromRequestParts, State},
    response::{IntoResponse as _, Response},
};
use billing::FirstMonth;
use credentials::{PASSPORT_HEADER, Passport};
use domain::{Money, RequestId, SpaceId, SpaceName, Timestamp};
use http::{HeaderMap, Method, Uri, request::Parts};
use ledger::Account;
use limits::{Allowance, Level, Standing};
use records::{Charge, CreateError, Database, NewSpace, Records};
use serde::Deserialize;
use settings::Schema;

use crate::{
    Edge, Platform,
    body::JsonBody,
    caller::{Caller, Writer},
    counting::AlsoLimited,
    error::ApiError,
    guard::GateStamp,
    idempotency::{self, IDEMPOTENCY_KEY},
    payment::{Quote, bazaar},
    view::accepted,
};

/// How long the first month is held for a space that has not run yet.
const HOLD: Duration = Duration::from_hours(24);

/// Longest title, in characters.
const TITLE_LEN_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateSpaceBody {
    name: String,
    app: String,
    title: Option<String>,
    settings: Option<serde_json::Value>,
}

/// A wallet that may make a space now, as far as the number of its spaces goes.
pub(super) struct Provisioner(Caller);

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for Provisioner {
    type Rejection = ApiError;

    /// Before the body is read: whoever can make no more spaces is told so first. A request with a
    /// key may be a repetition, which gets its first answer however many were made since.
    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        let Writer(caller) = Writer::from_request_parts(parts, edge).await?;
        let may_repeat = parts.headers.contains_key(IDEMPOTENCY_KEY);
        if let Some(allowance) = allowance(edge, &caller).filter(|_| !may_repeat) {
            let (records, now) = (edge.records().await?, edge.platform.now());
            let level = records.provision_level(&caller.wallet, allowance, now).await?;
            if level.remaining == 0 {
                return Err(ApiError::ProvisionLimited(standing(allowance, level)));
            }
        }
        Ok(Self(caller))
    }
}

pub(super) async fn create<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Provisioner(caller): Provisioner,
    Extension(request_id): Extension<RequestId>,
    uri: Uri,
    headers: HeaderMap,
    body: JsonBody<CreateSpaceBody>,
) -> Result<Response, ApiError> {
    let wallet = caller.wallet;
    let stamp = gate_stamp(&edge, &headers, &uri, &caller)?;
    let now = edge.platform.now();
    let key = idempotency::key(&headers, &wallet, &Method::POST, uri.path(), &body.bytes)?;
    let records = edge.records().await?;
    // A repetition changes nothing, so nothing of what follows is asked of it.
    if let Some(answer) = records.first_answer::<ApiError>(key.as_ref(), now).await? {
        return Ok(idempotency::respond(answer));
    }
    let new = new_space(&edge, &records, body.value, (&caller, &request_id)).await?;
    // After all that another body would mend: nobody is to buy tokens for a request that fails.
    match stamp {
        GateStamp::Off | GateStamp::Operator => {}
        GateStamp::NotAsked => return Err(ApiError::GateUnavailable),
        GateStamp::Checked(admission) => admission.require()?,
    }
    let allowance = allowance(&edge, &caller);
    let charge = charge(&edge, &caller, now);
    let answer = |it: &_| accepted(it, &edge.config);
    match records.create_space(&new, allowance, charge, now, key.as_ref(), answer).await {
        Ok(answer) => {
            let mut response = idempotency::respond(answer);
            // The space is made. What can't be read for a header is left out.
            if let Some(allowance) = allowance
                && let Ok(level) = records.provision_level(&wallet, allowance, now).await
            {
                response.extensions_mut().insert(AlsoLimited(standing(allowance, level)));
            }
            Ok(response)
        }
        Err(CreateError::NameTaken) => Err(ApiError::NameTaken(new.name.to_string())),
        Err(CreateError::NoCapacity) => Err(ApiError::NoCapacity),
        Err(CreateError::NotEnough(balance)) => match charge {
            Some(charge) => Ok(quote(&new, charge, balance).into_response()),
            None => Err(ApiError::internal("a charge was found where there is none")),
        },
        Err(CreateError::KeyReused(_)) => Err(ApiError::IdempotencyKeyReused),
        Err(CreateError::TooMany(level)) => Err(match allowance {
            Some(allowance) => ApiError::ProvisionLimited(standing(allowance, level)),
            None => ApiError::internal("a limit was found where there is none"),
        }),
        Err(CreateError::Database(error)) => Err(error.into()),
    }
}

fn allowance<P>(edge: &Edge<P>, caller: &Caller) -> Option<Allowance> {
    edge.config.provision.filter(|_| !caller.is_admin())
}

/// What the caller is to pay. The operator pays nobody.
fn charge<P>(edge: &Edge<P>, caller: &Caller, now: Timestamp) -> Option<Charge> {
    edge.config.till.as_ref().filter(|_| !caller.is_admin())?;
    let FirstMonth { asked, honoured } = edge.config.rates.first_month(now);
    Some(Charge { asked, honoured, hold_until: now.plus(HOLD) })
}

/// What is missing of a charge to whom has `balance`. What is paid more than that, where it is less
/// than a cent, stays on the balance.
fn quote(new: &NewSpace, charge: Charge, balance: Money) -> Quote {
    let missing = |price: Money| price.saturating_sub(balance).max(Money::CENT);
    Quote {
        price: charge.asked,
        missing: Some(missing(charge.asked)),
        honoured: charge.honoured.map(missing).into_iter().collect(),
        description: format!("The space {}, until the end of the month", new.name),
        bazaar: Some(bazaar::create_space()),
        account: Some(Account::Wallet(new.owner)),
    }
}

const fn standing(allowance: Allowance, level: Level) -> Standing {
    Standing { name: "provision", allowance, level }
}

/// What the gate said of this request. Refuses one that did not come through the gate: then the
/// manifest is broken.
fn gate_stamp<P: Platform>(
    edge: &Edge<P>,
    headers: &HeaderMap,
    uri: &Uri,
    caller: &Caller,
) -> Result<GateStamp, ApiError> {
    let token = headers.get(PASSPORT_HEADER).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let (keys, now) = (&edge.config.keys, edge.platform.now());
    let passport = Passport::<GateStamp>::from_token(keys, token, &Method::POST, uri.path(), now);
    let stamp = passport.ok().filter(|it| it.wallet == caller.wallet).and_then(|it| it.stamp);
    // A gate that was given another policy than we were, or none, has not decided for us.
    let is_ours = match (&stamp, &edge.config.gate.policy) {
        (Some(GateStamp::Off), policy) => policy.is_none(),
        (Some(GateStamp::Operator), _) => caller.is_admin(),
        (Some(GateStamp::NotAsked), _) => true,
        (Some(GateStamp::Checked(admission)), Some(policy)) => admission.is_of(policy),
        (Some(GateStamp::Checked(_)), None) | (None, _) => false,
    };
    stamp.filter(|_| is_ours).ok_or_else(|| {
        ApiError::internal("the request has no passport: is the gate in front of POST /v1/spaces?")
    })
}

async fn new_space<P: Platform, D: Database>(
    edge: &Edge<P>,
    records: &Records<D>,
    body: CreateSpaceBody,
    (caller, request_id): (&Caller, &RequestId),
) -> Result<NewSpace, ApiError> {
    let name: SpaceName = body.name.parse()?;
    let title = title(body.title, &name)?;
    if edge.config.reserved_names.contains(&name) {
        return Err(ApiError::ReservedName(name.to_string()));
    }
    let offer = records.app(&body.app).await?.ok_or(ApiError::AppNotFound(body.app))?;
    let schema: Schema =
        serde_json::from_value(offer.settings_schema.clone()).map_err(ApiError::internal)?;
    let settings = schema.validate(&body.settings.unwrap_or_default())?;
    if records.name_is_taken(&name).await? {
        return Err(ApiError::NameTaken(name.to_string()));
    }
    Ok(NewSpace {
        id: SpaceId::new(edge.platform.now(), edge.platform.random()),
        name,
        title,
        settings: serde_json::to_value(settings).expect("settings are plain data"),
        offer,
        owner: caller.wallet,
        is_free: caller.is_admin(),
        request_id: Some(request_id.as_str().to_owned()),
    })
}

/// What people call the space: the name, if they say nothing else.
fn title(title: Option<String>, name: &SpaceName) -> Result<String, ApiError> {
    let title = title.unwrap_or_else(|| name.to_string());
    let title = title.trim();
    if title.is_empty() || TITLE_LEN_MAX < title.chars().count() {
        return Err(ApiError::InvalidTitle("a title has 1 to 100 characters"));
    }
    if title.contains(char::is_control) {
        return Err(ApiError::InvalidTitle("a title has no control characters"));
    }
    Ok(title.to_owned())
}
