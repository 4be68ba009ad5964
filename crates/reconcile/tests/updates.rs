//! An update ends with the new release on its data, or with the old one on the data as it was,
//! whatever fails on the way and whenever the worker is killed.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use domain::Generation;
use futures::executor::block_on;
use proptest::prelude::*;
use reconcile::{
    Course, DesiredStack, ObservedStack, Requeue, RunState, Target, UpdateState, reconcile,
    release_of,
    simulation::{Fate, Simulation, space, stack},
};

/// The wish for a release, with the image that it needs.
fn wish(release: &str, generation: u64) -> DesiredStack {
    let mut desired = stack(Target::Running);
    (desired.release, desired.generation) = (release.to_owned(), Generation(generation));
    if release == "two" {
        desired.volumes.push("uploads".to_owned());
        for service in &mut desired.services {
            "app:2".clone_into(&mut service.image);
        }
    }
    desired
}

/// Takes turns as a worker does: it looks at what is on record, then works on the stack of the
/// release that this asks for.
fn work(runtime: &Simulation, wanted: &str, generation: u64, crashes: &[usize]) -> Requeue {
    let now = Cell::new(Instant::now());
    let mut course = Course::default();
    for turn in 0..1000 {
        if crashes.contains(&turn) {
            course = Course::default();
        }
        let there = runtime.stack(&space(1));
        let (release, stage) = release_of(
            there.release.as_deref(),
            there.update.as_ref(),
            wanted,
            Generation(generation),
        );
        let desired = DesiredStack { stage, ..wish(release, generation) };
        let outcome = block_on(reconcile(runtime, &desired, &mut course, || now.get(), |_| ()));
        match outcome.requeue {
            Requeue::Now => now.set(now.get() + Duration::from_millis(500)),
            Requeue::After(delay) => now.set(now.get() + delay),
            Requeue::Settled | Requeue::Superseded | Requeue::GivenUp => return outcome.requeue,
        }
    }
    panic!("no end in sight: {:?}", runtime.stack(&space(1)));
}

/// A space that runs the first release.
fn running() -> Simulation {
    let runtime = Simulation::new();
    runtime.add_image("app:2");
    assert_eq!(work(&runtime, "one", 2, &[]), Requeue::Settled);
    assert_eq!(runtime.written_by(&space(1)), ["one"]);
    runtime
}

fn runs(there: &ObservedStack, release: &str, generation: u64) -> bool {
    there.release.as_deref() == Some(release)
        && there.containers.len() == 2
        && there.containers.iter().all(|it| {
            it.release.as_deref() == Some(release)
                && it.generation == Generation(generation)
                && it.state == RunState::Running
        })
}

fn reason(there: &ObservedStack) -> Option<&str> {
    there.update.as_ref().and_then(|it| it.undone(Generation(3)))
}

#[test]
fn an_update_moves_the_data_to_the_new_release() {
    let runtime = running();
    assert_eq!(work(&runtime, "two", 3, &[]), Requeue::Settled);
    let there = runtime.stack(&space(1));
    assert!(runs(&there, "two", 3) && there.update.is_none(), "{there:?}");
    assert_eq!(runtime.written_by(&space(1)), ["one", "two"]);
    assert!(there.volumes.contains("uploads"), "the new release has a volume more");
}

#[test]
fn a_release_that_never_becomes_ready_is_undone_with_what_it_wrote() {
    let runtime = running();
    runtime.break_release("two");
    assert_eq!(work(&runtime, "two", 3, &[]), Requeue::Settled);
    let there = runtime.stack(&space(1));
    assert!(runs(&there, "one", 3), "{there:?}");
    assert_eq!(runtime.written_by(&space(1)), ["one"], "what the new release wrote is gone");
    let reason = reason(&there).unwrap();
    assert!(reason.starts_with("port never answered"), "{reason}");

    // It is not tried again by itself, and is when somebody asks for it.
    let _ = runtime.take_calls();
    assert_eq!(work(&runtime, "two", 3, &[]), Requeue::Settled);
    assert_eq!(runtime.take_calls().apply, 0);
    assert_eq!(work(&runtime, "two", 4, &[]), Requeue::Settled);
    let there = runtime.stack(&space(1));
    assert_eq!(there.update.unwrap().generation, Generation(4));
    assert_eq!(runtime.written_by(&space(1)), ["one"]);
}

#[test]
fn a_release_whose_image_is_nowhere_stops_nothing() {
    let runtime = Simulation::new();
    assert_eq!(work(&runtime, "one", 2, &[]), Requeue::Settled);
    let before = runtime.stack(&space(1));
    let _ = runtime.take_calls();
    assert_eq!(work(&runtime, "two", 2, &[]), Requeue::Settled);
    let there = runtime.stack(&space(1));
    assert_eq!(there.containers, before.containers);
    // The attempt to get it, and the note that there will be none.
    assert_eq!(runtime.take_calls().apply, 2);
}

#[test]
fn an_app_whose_data_is_elsewhere_is_not_updated() {
    let runtime = running();
    let stage = Some(reconcile::Stage::Preparing);
    let shared = vec!["postgres".to_owned()];
    let desired = DesiredStack { stage, shared, ..wish("two", 3) };
    let mut course = Course::default();
    let _ = runtime.take_calls();
    let outcome = block_on(reconcile(&runtime, &desired, &mut course, Instant::now, |_| ()));
    assert_eq!(outcome.requeue, Requeue::Now);
    // The note that there will be none, and nothing else.
    assert_eq!(runtime.take_calls().apply, 1);
    let there = runtime.stack(&space(1));
    assert!(runs(&there, "one", 2), "{there:?}");
    let why = reason(&there).unwrap();
    assert!(why.contains("could not be undone"), "{why}");
    assert_eq!(runtime.written_by(&space(1)), ["one"]);
}

#[test]
fn an_update_that_has_begun_is_ended_before_another_wish_counts() {
    let runtime = running();
    let mut course = Course::default();
    while runtime.stack(&space(1)).update.is_none() {
        let desired = DesiredStack { stage: Some(reconcile::Stage::Preparing), ..wish("two", 3) };
        let _ = block_on(reconcile(&runtime, &desired, &mut course, Instant::now, |_| ()));
    }
    // Somebody wants the old release, or anything else, while the new one is tried.
    assert_eq!(work(&runtime, "one", 4, &[]), Requeue::Settled);
    let there = runtime.stack(&space(1));
    assert!(runs(&there, "one", 4), "{there:?}");
    let all = ["one", "two", "one"];
    assert_eq!(runtime.written_by(&space(1)), all, "first to the new one, then from it");
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => Just(Fate::Works),
        1 => Just(Fate::FailsBefore),
        1 => Just(Fate::FailsAfter),
    ];
    prop::collection::vec(fate, 0..40)
}

proptest! {
    #[test]
    fn an_update_ends_well_or_was_never(
        fates in fates(),
        crashes in prop::collection::vec(0..80_usize, 0..8),
        is_broken in any::<bool>(),
    ) {
        let runtime = running();
        if is_broken {
            runtime.break_release("two");
        }
        runtime.fates(fates);
        prop_assert_eq!(work(&runtime, "two", 3, &crashes), Requeue::Settled);
        let there = runtime.stack(&space(1));
        let written_by = runtime.written_by(&space(1));
        if let Some(reason) = reason(&there) {
            prop_assert!(!reason.is_empty());
            prop_assert!(runs(&there, "one", 3), "{:?}", there);
            prop_assert_eq!(written_by, ["one"]);
        } else {
            prop_assert!(!is_broken);
            prop_assert!(runs(&there, "two", 3), "{:?}", there);
            prop_assert_eq!(written_by, ["one", "two"]);
        }
        let is_open = matches!(
            there.update.map(|it| it.state),
            Some(UpdateState::Trying { .. } | UpdateState::Undoing { .. })
        );
        prop_assert!(!is_open, "nothing is left half done");
    }
}
