//! Posting a notice to a tenant's URL.

use std::time::Duration;

use fleet::Delivery;
use reqwest::{Client, StatusCode, Url, redirect::Policy};
use tokio::time::timeout;

use super::{
    Problem,
    target::{self, Resolver, SystemResolver, TargetError},
};

/// How long a tenant's server may take, the way to it included.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Posts it. What the other side answers is not read, but for its status.
///
/// # Errors
/// [`Problem`] unless the answer is 200 to 299.
pub(super) async fn post(delivery: &Delivery) -> Result<(), Problem> {
    post_within(TIME_MAX, delivery, &SystemResolver).await
}

/// The same, with what a test has in the place of the clock's patience and the host's names.
pub(super) async fn post_within(
    time_max: Duration,
    delivery: &Delivery,
    resolver: &impl Resolver,
) -> Result<(), Problem> {
    let late = || Problem::again("it does not answer in time");
    timeout(time_max, post_to(delivery, resolver)).await.map_err(|_| late())?
}

async fn post_to(delivery: &Delivery, resolver: &impl Resolver) -> Result<(), Problem> {
    let url: Url = delivery.target.parse().map_err(|_| Problem::of(TargetError::Unusable))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Problem::of(TargetError::Unusable));
    }
    let addresses = target::addresses(&url, delivery.may_be_loopback, resolver);
    let addresses = addresses.await.map_err(Problem::of)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    // A client of its own: its name leads where we have looked, and nowhere else.
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .resolve_to_addrs(&host, &addresses)
        .user_agent("spaceport")
        .build()
        .map_err(|_| Problem::again("no client could be made"))?;
    let mut request = client.post(url).body(delivery.body.clone());
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) if answer.status() == StatusCode::GONE => {
            Err(Problem::last("it answers 410: it wants no more"))
        }
        Ok(answer) => Err(Problem::again(&format!("it answers {}", answer.status().as_u16()))),
        Err(error) if error.is_connect() => Err(Problem::again("there is no connection")),
        Err(_) => Err(Problem::again("its answer breaks off")),
    }
}
