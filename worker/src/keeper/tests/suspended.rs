//! What visitors read of a space that is suspended.

use fleet::Suspension;

use super::*;

#[tokio::test]
async fn why_a_space_is_suspended_may_change_without_a_new_wish() {
    let bench = Bench::new();
    let pay_url = || "https://edge.example/v1/spaces/1/payments".to_owned();
    let payment = Some(Suspension::Payment { pay_url: pay_url() });
    let unpaid =
        DesiredSpace { desired: Desired::Suspended, suspension: payment.clone(), ..wish(1) };
    bench.keeper.want(unpaid.clone());
    bench.take_until(&unpaid, ObservedState::Stopped).await;
    let unpaid_route = Some(Route::Suspended { pay_url: Some(pay_url()) });
    assert_eq!(bench.route(&unpaid), unpaid_route);

    let operators = Suspension::Operator;
    bench.keeper.want(DesiredSpace { suspension: Some(operators), ..unpaid.clone() });
    bench.quiet().await;
    assert_eq!(bench.route(&unpaid), Some(Route::Suspended { pay_url: None }));
    bench.keeper.want(unpaid.clone());
    bench.quiet().await;
    assert_eq!(bench.route(&unpaid), unpaid_route);

    // What the host stopped, or its owner, says nothing of paying, whatever was said before.
    let asleep = DesiredSpace { suspension: payment, ..then(&unpaid, Desired::Hibernated) };
    bench.keeper.want(asleep.clone());
    bench.take_until(&asleep, ObservedState::Stopped).await;
    assert_eq!(bench.route(&asleep), Some(Route::Stopped));
}
