//! Whatever fails and whenever the worker is killed, a space ends up as it is wanted.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use domain::Generation;
use futures::executor::block_on;
use proptest::prelude::*;
use reconcile::{
    Course, DesiredStack, ObservedStack, Requeue, RunState, Target, reconcile,
    simulation::{Fate, Simulation, space, stack},
};

/// Turns until the space is settled or given up, with a clock that jumps over the pauses. Every
/// memory is lost before the turns in `crashes`.
fn work(runtime: &Simulation, desired: &DesiredStack, crashes: &[usize]) -> Requeue {
    let now = Cell::new(Instant::now());
    let mut course = Course::default();
    for turn in 0..1000 {
        if crashes.contains(&turn) {
            course = Course::default();
        }
        let outcome = block_on(reconcile(runtime, desired, &mut course, || now.get(), |_| ()));
        match outcome.requeue {
            Requeue::Now => now.set(now.get() + Duration::from_millis(500)),
            Requeue::After(delay) => now.set(now.get() + delay),
            Requeue::Settled | Requeue::Superseded | Requeue::GivenUp => return outcome.requeue,
        }
    }
    panic!("no end in sight: {:?}", runtime.stack(&desired.space));
}

/// What is wanted, said without the planner.
fn is_reached(target: Target, it: &ObservedStack, has_data: bool) -> bool {
    let all = |state| it.containers.iter().all(|it| it.state == state);
    match target {
        Target::Running => {
            let mut services: Vec<_> = it.containers.iter().map(|it| &it.service).collect();
            services.sort();
            services == ["db", "web"]
                && all(RunState::Running)
                && it.containers.iter().all(|it| it.generation == Generation(2))
                && it.has_network
                && it.volumes.contains("data")
                && it.has_secrets
                && it.was_ready
        }
        Target::Stopped => !it.containers.iter().any(reconcile::ObservedContainer::is_alive),
        Target::Cleared if has_data => {
            it.containers.is_empty() && !it.has_network && it.volumes.contains("data")
        }
        Target::Cleared | Target::Absent => it.is_empty(),
    }
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        3 => Just(Fate::Works),
        1 => Just(Fate::FailsBefore),
        1 => Just(Fate::FailsAfter),
    ];
    prop::collection::vec(fate, 0..40)
}

fn targets() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Running),
        Just(Target::Stopped),
        Just(Target::Cleared),
        Just(Target::Absent),
    ]
}

/// How many turns were taken when the first wish was overtaken by the second, and how far it was.
fn half_way(runtime: &Simulation, desired: &DesiredStack, turns: usize) {
    let mut course = Course::default();
    for _ in 0..turns {
        let _ = block_on(reconcile(runtime, desired, &mut course, Instant::now, |_| ()));
    }
}

proptest! {
    #[test]
    fn every_wish_is_reached_from_everywhere(
        first in targets(),
        turns in 0..16_usize,
        target in targets(),
        fates in fates(),
        crashes in prop::collection::vec(0..60_usize, 0..6),
    ) {
        let runtime = Simulation::new();
        let older = DesiredStack { generation: Generation(1), ..stack(first) };
        half_way(&runtime, &older, turns);
        runtime.meddle(&space(9), |it| it.has_network = true);
        let foreign = runtime.stack(&space(9));

        let had_data = runtime.stack(&space(1)).was_ready;
        let had_volume = runtime.stack(&space(1)).volumes.contains("data");
        // As many attempts as it needs: when to give up is another question.
        let desired = stack(target);
        runtime.fates(fates);
        let mut end = work(&runtime, &desired, &crashes);
        while end == Requeue::GivenUp {
            end = work(&runtime, &desired, &[]);
        }
        let there = runtime.stack(&space(1));
        prop_assert!(is_reached(target, &there, had_data), "{target:?}: {there:?}");
        if had_data && had_volume && target != Target::Absent && first != Target::Absent {
            prop_assert!(there.volumes.contains("data"), "data is gone: {there:?}");
        }
        prop_assert_eq!(runtime.stack(&space(9)), foreign);
        prop_assert!(!runtime.has_lost_data(), "it was not backed up as it was");
    }

    #[test]
    fn data_goes_after_it_was_backed_up_and_not_before(
        shares in any::<bool>(),
        sleeps in any::<bool>(),
        fates in fates(),
        crashes in prop::collection::vec(0..60_usize, 0..6),
    ) {
        let runtime = Simulation::new();
        let shared = if shares { vec!["postgres".to_owned()] } else { Vec::new() };
        let of = |generation, target| DesiredStack {
            generation: Generation(generation),
            shared: shared.clone(),
            ..stack(target)
        };
        prop_assert_eq!(work(&runtime, &of(1, Target::Running), &[]), Requeue::Settled);
        if sleeps {
            work(&runtime, &of(2, Target::Stopped), &[]);
        }
        runtime.fates(fates);
        prop_assert_eq!(work(&runtime, &of(3, Target::Absent), &crashes), Requeue::Settled);
        prop_assert!(runtime.stack(&space(1)).is_empty());
        prop_assert!(!runtime.has_lost_data());
        prop_assert_eq!(runtime.backup_of(&space(1)), Some(vec!["one".to_owned()]));
    }
}

#[test]
fn a_space_that_is_deleted_while_it_is_made_leaves_nothing() {
    for turns in 0..12 {
        let runtime = Simulation::new();
        half_way(&runtime, &stack(Target::Running), turns);
        let deleted = DesiredStack { generation: Generation(3), ..stack(Target::Absent) };
        assert_eq!(work(&runtime, &deleted, &[]), Requeue::Settled);
        assert!(runtime.stack(&space(1)).is_empty(), "after {turns} turns");
    }
}

#[test]
fn an_owner_can_delete_a_space_whose_volume_is_gone() {
    let runtime = Simulation::new();
    work(&runtime, &stack(Target::Running), &[]);
    runtime.meddle(&space(1), |it| it.volumes.clear());
    let deleted = DesiredStack { generation: Generation(3), ..stack(Target::Absent) };
    assert_eq!(work(&runtime, &deleted, &[]), Requeue::Settled);
    assert!(runtime.stack(&space(1)).is_empty());
    assert!(runtime.backup_of(&space(1)).is_some(), "it says what is missing");
}

#[test]
fn nothing_is_removed_as_long_as_it_cannot_be_backed_up() {
    let runtime = Simulation::new();
    work(&runtime, &stack(Target::Running), &[]);
    let deleted = DesiredStack { generation: Generation(3), ..stack(Target::Absent) };
    let mut course = Course::default();
    // Two containers are stopped, then the backup fails for ever.
    runtime.fates([Fate::Works, Fate::Works].into_iter().chain([Fate::FailsBefore; 100]));
    let now = Cell::new(Instant::now());
    for _ in 0..200 {
        let outcome = block_on(reconcile(&runtime, &deleted, &mut course, || now.get(), |_| ()));
        assert_ne!(outcome.requeue, Requeue::GivenUp);
        let there = runtime.stack(&space(1));
        if runtime.backup_of(&space(1)).is_some() {
            return;
        }
        assert!(there.volumes.contains("data") && there.containers.len() == 2, "{there:?}");
        now.set(now.get() + Duration::from_mins(1));
    }
    panic!("it is tried until it works");
}

#[test]
fn data_outlives_the_files_that_say_it_is_there() {
    // Whether the edge was told that the space was ready, or only we knew.
    for has_data in [true, false] {
        let runtime = Simulation::new();
        let desired = DesiredStack { has_data, ..stack(Target::Running) };
        let first = DesiredStack { has_data: false, ..desired.clone() };
        assert_eq!(work(&runtime, &first, &[]), Requeue::Settled);
        // The worker's files vanish after the space was ready, and it is killed.
        runtime.meddle(&space(1), |it| {
            (it.has_files, it.has_secrets, it.was_ready) = (false, false, false);
        });
        assert_eq!(work(&runtime, &desired, &[]), Requeue::GivenUp, "a person must look");
        let cleared = DesiredStack { target: Target::Cleared, ..desired };
        assert_eq!(work(&runtime, &cleared, &[]), Requeue::Settled);
        let there = runtime.stack(&space(1));
        assert!(there.containers.is_empty() && there.volumes.contains("data"), "{there:?}");
        assert!(!runtime.has_removed_data());
        // Who wants it gone all the same gets a backup of it first.
        let deleted = DesiredStack { target: Target::Absent, ..cleared };
        assert_eq!(work(&runtime, &deleted, &[]), Requeue::Settled);
        assert!(runtime.stack(&space(1)).is_empty());
        assert!(!runtime.has_lost_data());
    }
}

#[test]
fn a_space_that_was_ready_is_tried_until_it_runs_again() {
    let runtime = Simulation::new();
    assert_eq!(work(&runtime, &stack(Target::Running), &[]), Requeue::Settled);
    runtime.meddle(&space(1), |it| it.containers.clear());
    runtime.fates(std::iter::repeat_n(Fate::FailsBefore, 50));
    assert_eq!(work(&runtime, &stack(Target::Running), &[]), Requeue::Settled);
    let there = runtime.stack(&space(1));
    assert!(is_reached(Target::Running, &there, true), "{there:?}");
}

#[test]
fn a_newer_wish_replaces_the_containers_and_keeps_the_data() {
    let runtime = Simulation::new();
    work(&runtime, &stack(Target::Running), &[]);
    let newer = DesiredStack { generation: Generation(3), ..stack(Target::Running) };
    assert_eq!(work(&runtime, &newer, &[]), Requeue::Settled);
    let there = runtime.stack(&space(1));
    assert!(there.containers.iter().all(|it| it.generation == Generation(3)));
    assert!(!runtime.has_removed_data());
    // The older wish comes late, and nothing happens.
    assert_eq!(work(&runtime, &stack(Target::Absent), &[]), Requeue::Superseded);
    assert_eq!(runtime.stack(&space(1)), there);
}

#[test]
fn an_image_that_is_nowhere_is_given_up_at_once() {
    let runtime = Simulation::new();
    let mut desired = stack(Target::Running);
    desired.services[1].image = "app:9".to_owned();
    assert_eq!(work(&runtime, &desired, &[]), Requeue::GivenUp);
    let cleared = DesiredStack { target: Target::Cleared, ..desired };
    assert_eq!(work(&runtime, &cleared, &[]), Requeue::Settled);
    assert!(runtime.stack(&space(1)).is_empty());
}

#[test]
fn a_space_that_never_answers_is_restarted_once_and_given_up() {
    let runtime = Simulation::new();
    runtime.break_space(&space(1));
    assert_eq!(work(&runtime, &stack(Target::Running), &[]), Requeue::GivenUp);
    // Seven steps to have it run, two to stop it and two to start it again.
    assert_eq!(runtime.take_calls().apply, 7 + 2 + 2);
}

#[test]
fn a_converged_space_is_left_alone() {
    for target in [Target::Running, Target::Stopped, Target::Cleared, Target::Absent] {
        let runtime = Simulation::new();
        work(&runtime, &stack(target), &[]);
        let _ = runtime.take_calls();
        assert_eq!(work(&runtime, &stack(target), &[]), Requeue::Settled);
        assert_eq!(runtime.take_calls().apply, 0, "{target:?}");
    }
}
