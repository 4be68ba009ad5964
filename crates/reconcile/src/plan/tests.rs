//! Which step comes next, as tables.

use domain::Generation;

use super::*;
use crate::{SharedState, simulation::stack};

const OLD: Generation = Generation(1);
const NOW: Generation = Generation(2);
const NEW: Generation = Generation(3);

/// One stack in a few letters: `S` secrets, `N` network, `V` volume, `R` marked as ready, `B` backed
/// up for the wish of now, `b` for an earlier one.
fn seen(has: &str, containers: &[(&str, Generation, RunState)]) -> ObservedStack {
    let has = |letter: char| has.contains(letter);
    let containers = containers.iter().map(|(service, generation, state)| ObservedContainer {
        service: (*service).to_owned(),
        generation: *generation,
        release: Some("one".to_owned()),
        state: *state,
        health: Health::Healthy,
    });
    ObservedStack {
        has_network: has('N'),
        volumes: has('V').then(|| "data".to_owned()).into_iter().collect(),
        containers: containers.collect(),
        has_secrets: has('S'),
        was_ready: has('R'),
        release: has('R').then(|| "one".to_owned()),
        final_backup: has('B').then_some(NOW).or(has('b').then_some(OLD)),
        has_files: has('S') || has('R') || has('B'),
        ..ObservedStack::default()
    }
}

fn next(target: Target, observed: &ObservedStack) -> String {
    match plan(&stack(target), observed) {
        Plan::Act(step) => step.name(),
        Plan::Wait(waiting) => format!("wait {}", waiting.name()),
        other => format!("{other:?}"),
    }
}

type Row<'a> = (Target, &'a str, &'a [(&'a str, Generation, RunState)], &'a str);

#[test]
fn next_step() {
    use RunState::{Created, Exited, Paused, Removing, Running as Up};
    use Target::{Absent, Cleared, Running, Stopped};

    #[rustfmt::skip]
    let rows: &[Row<'_>] = &[
        // target  has     containers                               want
        (Running, "",      &[],                                     "write-secrets"),
        (Running, "S",     &[],                                     "create-network"),
        (Running, "SN",    &[],                                     "create-volume-data"),
        (Running, "SNV",   &[],                                     "create-db"),
        (Running, "SNV",   &[("db", NOW, Created)],                 "start-db"),
        (Running, "SNV",   &[("db", NOW, Exited)],                  "start-db"),
        (Running, "SNV",   &[("db", NOW, Paused)],                  "unpause-db"),
        (Running, "SNV",   &[("db", NOW, Removing)],                "wait remove-db"),
        (Running, "SNV",   &[("db", NOW, Up)],                      "create-web"),
        (Running, "SNV",   &[("db", NOW, Up), ("web", NOW, Created)], "start-web"),
        (Running, "SNV",   &[("db", NOW, Up), ("web", NOW, Up)],    "wait ready"),
        // Something older, or of no use.
        (Running, "SNVR",  &[("db", OLD, Up), ("web", OLD, Up)],    "stop-web"),
        (Running, "SNVR",  &[("db", OLD, Up), ("web", OLD, Exited)], "remove-web"),
        (Running, "SNVR",  &[("db", OLD, Up)],                      "stop-db"),
        (Running, "SNVR",  &[("db", OLD, Paused)],                  "unpause-db"),
        (Running, "SNVR",  &[("db", OLD, Removing)],                "wait remove-db"),
        (Running, "SNVR",  &[("db", NOW, Up), ("cache", NOW, Up)],  "stop-cache"),
        (Running, "SVR",   &[("db", NOW, Up)],                      "stop-db"),
        (Running, "SVR",   &[("db", NOW, Exited)],                  "remove-db"),
        // Something newer.
        (Running, "SNV",   &[("db", NEW, Up)],                      "Superseded"),
        (Stopped, "SNV",   &[("db", NEW, Up)],                      "Superseded"),
        (Absent,  "SNV",   &[("db", NEW, Exited)],                  "Superseded"),
        // Something lost.
        (Running, "SNR",   &[],                                     r#"Blocked(VolumeLost("data"))"#),
        (Running, "SNR",   &[("db", OLD, Up)],                      r#"Blocked(VolumeLost("data"))"#),
        (Running, "NV",    &[],                                     "Blocked(SecretsLost)"),
        (Running, "N",     &[("db", NOW, Up)],                      "Blocked(SecretsLost)"),
        (Running, "N",     &[],                                     "write-secrets"),
        // To stop.
        (Stopped, "SNVR",  &[("db", NOW, Up), ("web", NOW, Up)],    "stop-web"),
        (Stopped, "SNVR",  &[("db", OLD, Up), ("web", OLD, Exited)], "stop-db"),
        (Stopped, "SNVR",  &[("db", OLD, Paused)],                  "unpause-db"),
        (Stopped, "SNVR",  &[("db", OLD, Exited)],                  "Converged"),
        (Stopped, "SNR",   &[("db", NOW, Up)],                      "stop-db"),
        (Stopped, "",      &[],                                     "Converged"),
        // To nothing but the data.
        (Cleared, "SNVR",  &[("db", NOW, Up), ("web", NOW, Up)],    "stop-web"),
        (Cleared, "SNVR",  &[("db", NOW, Up), ("web", NOW, Exited)], "remove-web"),
        (Cleared, "SNVR",  &[],                                     "remove-network"),
        (Cleared, "SVR",   &[],                                     "Converged"),
        // Whose data it is, nobody knows any more.
        (Cleared, "NV",    &[("web", NOW, Exited)],                 "remove-web"),
        (Cleared, "NV",    &[],                                     "remove-network"),
        (Cleared, "V",     &[],                                     "Converged"),
        // To nothing.
        (Cleared, "SNV",   &[("db", NOW, Up), ("web", NOW, Up)],    "remove-web"),
        (Cleared, "SNV",   &[],                                     "remove-network"),
        (Cleared, "SV",    &[],                                     "remove-volume-data"),
        (Cleared, "S",     &[],                                     "remove-files"),
        (Cleared, "",      &[],                                     "Converged"),
        (Absent,  "SNV",   &[("db", OLD, Up), ("web", OLD, Paused)], "remove-web"),
        (Absent,  "SNV",   &[("db", OLD, Removing)],                "wait remove-db"),
        (Absent,  "SNV",   &[("db", NOW, Exited)],                  "remove-db"),
        (Absent,  "SNV",   &[],                                     "remove-network"),
        (Absent,  "SV",    &[],                                     "remove-volume-data"),
        (Absent,  "S",     &[],                                     "remove-files"),
        (Absent,  "",      &[],                                     "Converged"),
        // The same with data, which is backed up at rest.
        (Absent,  "SNVR",  &[("db", OLD, Up), ("web", OLD, Up)],    "stop-web"),
        (Absent,  "SNVR",  &[("db", OLD, Up), ("web", OLD, Exited)], "stop-db"),
        (Absent,  "SNVR",  &[("db", OLD, Paused)],                  "unpause-db"),
        (Absent,  "SNVR",  &[("db", OLD, Removing)],                "wait remove-db"),
        (Absent,  "SNVR",  &[("db", OLD, Exited)],                  "back-up"),
        (Absent,  "SNVR",  &[],                                     "back-up"),
        (Absent,  "SNVRb", &[("db", OLD, Exited)],                  "back-up"),
        (Absent,  "SNVRB", &[("db", OLD, Exited), ("web", OLD, Up)], "remove-web"),
        (Absent,  "SNVRB", &[],                                     "remove-network"),
        (Absent,  "SVRB",  &[],                                     "remove-volume-data"),
        (Absent,  "SRB",   &[],                                     "remove-files"),
        // What is gone is put on record, as long as anything says that it was there.
        (Absent,  "SNR",   &[],                                     "back-up"),
        (Absent,  "SRb",   &[],                                     "back-up"),
        // Whose data it is, nobody knows any more.
        (Absent,  "NV",    &[("db", OLD, Exited)],                  "back-up"),
        (Absent,  "V",     &[],                                     "back-up"),
        (Absent,  "VB",    &[],                                     "remove-volume-data"),
    ];
    for (target, has, containers, want) in rows {
        let observed = seen(has, containers);
        assert_eq!(next(*target, &observed), *want, "{target:?} from {has:?} {containers:?}");
    }
}

#[test]
fn a_service_waits_for_the_health_of_another() {
    #[rustfmt::skip]
    let rows = [
        (Health::Starting,  "wait healthy-db"),
        (Health::Unhealthy, "wait healthy-db"),
        (Health::Healthy,   "start-web"),
        (Health::Unchecked, "start-web"),
    ];
    for (health, want) in rows {
        let containers = [("db", NOW, RunState::Running), ("web", NOW, RunState::Created)];
        let mut observed = seen("SNV", &containers);
        observed.containers[0].health = health;
        assert_eq!(next(Target::Running, &observed), want, "{health:?}");
    }
}

#[test]
fn readiness_is_put_on_record_before_it_counts() {
    let up = [("db", NOW, RunState::Running), ("web", NOW, RunState::Running)];
    let ready = Readiness::Ready;
    #[rustfmt::skip]
    let rows = [
        ("SNV",  Readiness::Unknown,  "wait ready"),
        ("SNV",  Readiness::NotReady, "wait ready"),
        ("SNV",  ready,               "ready"),
        ("SNVR", Readiness::NotReady, "wait ready"),
        ("SNVR", ready,               "Converged"),
    ];
    for (has, readiness, want) in rows {
        let observed = ObservedStack { readiness, ..seen(has, &up) };
        assert_eq!(next(Target::Running, &observed), want, "{has} {readiness:?}");
    }
}

#[test]
fn an_image_is_got_where_it_is_missing_and_needed() {
    let mut observed = seen("SNV", &[("db", NOW, RunState::Running)]);
    observed.images_missing.insert("web".to_owned());
    assert_eq!(next(Target::Running, &observed), "pull-image-web");
    observed.images_missing = std::iter::once("db".to_owned()).collect();
    assert_eq!(next(Target::Running, &observed), "create-web");
}

#[test]
fn what_the_edge_says_of_data_counts_as_much_as_our_own_record() {
    let with_data = |target| DesiredStack { has_data: true, ..stack(target) };
    let lost = Plan::Blocked(Blocked::VolumeLost("data".to_owned()));
    assert_eq!(plan(&with_data(Target::Running), &seen("SN", &[])), lost);
    assert_eq!(plan(&with_data(Target::Cleared), &seen("SV", &[])), Plan::Converged);
    let deleted = with_data(Target::Absent);
    assert_eq!(plan(&deleted, &seen("SV", &[])), Plan::Act(Step::BackUp));
    // Nothing is left that there could be a backup of.
    assert_eq!(plan(&deleted, &seen("S", &[])), Plan::Act(Step::RemoveFiles));
    assert_eq!(plan(&deleted, &seen("", &[])), Plan::Converged);
}

#[test]
fn what_a_host_shares_is_connected_and_prepared_before_anything_runs() {
    let wish = DesiredStack { shared: vec!["postgres".to_owned()], ..stack(Target::Running) };
    let up = [("db", NOW, RunState::Running), ("web", NOW, RunState::Running)];
    #[rustfmt::skip]
    let rows: [(&str, bool, bool, bool, &[_], &str); 7] = [
        // has    connected ready  prepared containers want
        ("SNV",  false,    false, false,   &[],       "connect-postgres"),
        ("SNV",  true,     false, false,   &[],       "wait shared-postgres"),
        ("SNV",  true,     true,  false,   &[],       "prepare-shared"),
        ("SNV",  true,     true,  true,    &[],       "create-db"),
        ("SNV",  true,     false, true,    &up[..1],  "wait shared-postgres"),
        // What runs is not stopped for it.
        ("SNVR", true,     false, true,    &up,       "wait ready"),
        ("SNVR", false,    true,  true,    &up,       "connect-postgres"),
    ];
    for (has, is_connected, is_ready, is_prepared, containers, want) in rows {
        let shared = [("postgres".to_owned(), SharedState { is_ready, is_connected })].into();
        let observed = ObservedStack { shared, is_prepared, ..seen(has, containers) };
        let got = match plan(&wish, &observed) {
            Plan::Act(step) => step.name(),
            Plan::Wait(waiting) => format!("wait {}", waiting.name()),
            other => format!("{other:?}"),
        };
        assert_eq!(got, want, "{has} {is_connected} {is_ready} {is_prepared}");
    }
}

#[test]
fn what_a_host_shares_is_left_before_the_network_goes() {
    #[rustfmt::skip]
    let rows = [
        // target        has     prepared connected want
        (Target::Absent,  "SNV",  true,    true,     "remove-shared"),
        (Target::Absent,  "SNV",  false,   true,     "disconnect-postgres"),
        (Target::Absent,  "SNV",  false,   false,    "remove-network"),
        (Target::Absent,  "SNVR", true,    true,     "back-up"),
        (Target::Absent,  "SNR",  true,    true,     "back-up"),
        (Target::Absent,  "SNVRB", true,   true,     "remove-shared"),
        (Target::Absent,  "SNVRB", false,  true,     "disconnect-postgres"),
        // With data, what is kept of it elsewhere stays too.
        (Target::Cleared, "SNVR", true,    true,     "disconnect-postgres"),
        (Target::Cleared, "SNVR", true,    false,    "remove-network"),
        (Target::Cleared, "SNV",  true,    true,     "remove-shared"),
    ];
    for (target, has, is_prepared, is_connected, want) in rows {
        let state = SharedState { is_ready: true, is_connected };
        let shared = [("postgres".to_owned(), state)].into();
        let observed = ObservedStack { shared, is_prepared, ..seen(has, &[]) };
        assert_eq!(next(target, &observed), want, "{target:?} {has}");
    }
}

#[test]
fn without_a_volume_or_a_part_elsewhere_there_is_nothing_to_back_up() {
    let wish = DesiredStack { volumes: Vec::new(), ..stack(Target::Absent) };
    let mut observed = seen("SNR", &[("web", NOW, RunState::Running)]);
    assert_eq!(plan(&wish, &observed), Plan::Act(Step::RemoveContainer("web".to_owned())));
    observed.is_prepared = true;
    assert_eq!(plan(&wish, &observed), Plan::Act(Step::StopContainer("web".to_owned())));
}

#[test]
fn a_space_is_deleted_in_the_middle_of_an_update_with_what_its_volumes_hold_then() {
    let stages =
        [Stage::Preparing, Stage::Trying { saved: vec!["data".to_owned()] }, Stage::Undoing];
    for stage in stages {
        let wish = DesiredStack { stage: Some(stage), ..stack(Target::Absent) };
        let next = |has| plan(&wish, &seen(has, &[("db", OLD, RunState::Exited)]));
        assert_eq!(next("SNVR"), Plan::Act(Step::BackUp), "{:?}", wish.stage);
        assert_eq!(next("SNVRB"), Plan::Act(Step::RemoveContainer("db".to_owned())));
    }
}

#[test]
fn the_first_admin_is_made_before_the_first_visitor_can_come() {
    let wish = DesiredStack { has_first_admin: true, ..stack(Target::Running) };
    let up = [("db", NOW, RunState::Running), ("web", NOW, RunState::Running)];
    let observed = ObservedStack { readiness: Readiness::Ready, ..seen("SNV", &up) };
    assert_eq!(plan(&wish, &observed), Plan::Act(Step::CreateFirstAdmin));
    let with_admin = ObservedStack { has_first_admin: true, ..observed };
    assert_eq!(plan(&wish, &with_admin), Plan::Act(Step::MarkReady));
    // A space that has data already has its people.
    let old = ObservedStack { readiness: Readiness::Ready, ..seen("SNVR", &up) };
    assert_eq!(plan(&wish, &old), Plan::Converged);
}

#[test]
fn a_stack_without_a_web_service_is_ready_when_all_of_it_is_healthy() {
    let wish = DesiredStack { web: None, ..stack(Target::Running) };
    let up = [("db", NOW, RunState::Running), ("web", NOW, RunState::Running)];
    let mut observed = seen("SNV", &up);
    assert_eq!(plan(&wish, &observed), Plan::Act(Step::MarkReady));
    observed.containers[1].health = Health::Starting;
    assert_eq!(plan(&wish, &observed), Plan::Wait(Waiting::Healthy("web".to_owned())));
}
