//! Stacks that spaces share.

use super::*;
use crate::shared::{stack, stack_id};

/// With an app whose spaces share a Postgres.
fn bench() -> Bench {
    Bench::with_apps("../tests/apps")
}

fn space_of_shared(n: u8) -> DesiredSpace {
    DesiredSpace { app: "notes-shared".to_owned(), ..wish(n) }
}

fn postgres() -> SpaceId {
    stack_id("", "notes-services")
}

fn is_running(bench: &Bench) -> bool {
    let stack = bench.runtime().stack(&postgres());
    stack.container("postgres").is_some_and(reconcile::ObservedContainer::is_alive)
}

#[tokio::test]
async fn a_stack_is_made_with_its_first_space_and_outlives_the_last() {
    let bench = bench();
    let wishes = [1, 2].map(space_of_shared);
    for wish in &wishes {
        bench.keeper.want(wish.clone());
        bench.take_until(wish, ObservedState::Ready).await;
    }
    bench.until(|| is_running(&bench)).await;
    for wish in &wishes {
        let gone = then(wish, Desired::Deleted);
        bench.keeper.want(gone.clone());
        bench.take_until(&gone, ObservedState::Gone).await;
    }
    bench.quiet().await;
    assert!(is_running(&bench));
    bench.keeper.resync().await;
    bench.quiet().await;
    assert!(is_running(&bench));

    assert!(bench.told.lock().unwrap().iter().all(|it| it.space != postgres()));
    assert!(bench.outbox.is_empty());
    assert_eq!(bench.routes.get(""), None);
}

#[tokio::test]
async fn a_space_that_is_only_to_go_needs_no_stack() {
    let bench = bench();
    let gone = then(&space_of_shared(1), Desired::Deleted);
    bench.keeper.want(gone.clone());
    bench.take_until(&gone, ObservedState::Gone).await;
    bench.quiet().await;
    assert!(bench.runtime().stack(&postgres()).is_empty());
}

#[tokio::test]
async fn a_stack_that_is_there_is_kept_although_nobody_uses_it() {
    let bench = bench();
    bench.runtime().meddle(&postgres(), |it| (it.has_files, it.has_secrets) = (true, true));
    bench.keeper.resync().await;
    bench.until(|| is_running(&bench)).await;
    assert!(bench.keeper.state().orphans.is_empty());
}

#[tokio::test]
async fn a_stack_is_never_given_up() {
    let bench = bench();
    bench.keeper.want(DesiredSpace { desired: Desired::Hibernated, ..space_of_shared(1) });
    bench.until(|| is_running(&bench)).await;
    bench.quiet().await;
    bench.runtime().meddle(&postgres(), |it| it.volumes.clear());
    bench.keeper.look_again(&postgres());
    let is_lost = || {
        let state = bench.keeper.state();
        let told = state.spaces[&postgres()].told.as_ref();
        told.and_then(|it| it.reason.as_ref()).is_some_and(|it| it.contains("is gone"))
    };
    bench.until(is_lost).await;
    // An operator may mend it, and then it goes on.
    assert_eq!(bench.keeper.state().spaces[&postgres()].end, End::Open);
}

#[tokio::test]
async fn a_wish_for_a_stack_is_for_the_release_that_it_has() {
    let bench = bench();
    for template in ["notes-services", "none"] {
        let wish = stack(template, &bench.keeper.templates);
        assert_eq!((wish.release.as_str(), wish.desired), ("", Desired::Running), "{template}");
    }
}
