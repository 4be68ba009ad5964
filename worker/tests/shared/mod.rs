//! Spaces that use services of their host, whatever somebody does to those.

use std::{fs::File, process::Command};

use bollard::{
    models::NetworkDisconnectRequest,
    query_parameters::{InspectContainerOptions, RemoveContainerOptionsBuilder},
};
use domain::{Desired, ObservedState};
use fleet::DesiredSpace;
use worker::Worker;

use crate::{
    backups::{backup_of, unpack},
    support::{Bench, visit},
};

/// One installation with spaces that share a Postgres.
struct Scene {
    bench: Bench,
    spaces: Vec<DesiredSpace>,
    /// What Docker calls the Postgres.
    postgres: String,
}

impl Scene {
    async fn new(name: &str, n_spaces: usize) -> (Self, Worker) {
        let bench = Bench::with_test_apps(name).await;
        let worker = bench.worker().await;
        let spaces: Vec<_> = (0..n_spaces).map(|_| bench.wish("notes-shared")).collect();
        for space in &spaces {
            bench.edge.want(space.clone());
        }
        for space in &spaces {
            bench.told(space, ObservedState::Ready).await;
        }
        let objects = bench.objects().await;
        let postgres: Vec<_> =
            objects.iter().filter_map(|it| it.strip_suffix("-postgres running")).collect();
        assert_eq!(postgres.len(), 1, "{objects:?}");
        let postgres = format!("{}-postgres", postgres[0].trim_start_matches("container "));
        (Self { bench, spaces, postgres }, worker)
    }

    /// The networks that the Postgres is in, without its own.
    async fn networks(&self) -> Vec<String> {
        let inspected = self.bench.docker.inspect_container(&self.postgres, None).await;
        let Ok(container) = inspected else { return Vec::new() };
        let networks = container.network_settings.unwrap().networks.unwrap();
        let own = self.postgres.trim_end_matches("-postgres");
        let mut names: Vec<_> = networks.into_keys().filter(|it| it != own).collect();
        names.sort();
        names
    }

    /// By which words a space finds the Postgres in its network.
    async fn names(&self, space: &DesiredSpace) -> Vec<String> {
        let inspected = self.bench.docker.inspect_container(&self.postgres, None).await;
        let mut networks = inspected.unwrap().network_settings.unwrap().networks.unwrap();
        let mut names = networks.remove(&space.id.docker_name()).unwrap().aliases.unwrap();
        // Docker adds its own id.
        names.retain(|it| it.len() != 12);
        names
    }

    /// Waits until the Postgres is in the network of each space, and each space answers.
    async fn works(&self, worker: &Worker) {
        let mut want: Vec<_> = self.spaces.iter().map(|it| it.id.docker_name()).collect();
        want.sort();
        self.bench.until("the networks", async || self.networks().await == want).await;
        for space in &self.spaces {
            let page = async || visit(worker, space).await;
            self.bench.until("the page", async || page().await.0 == 200).await;
        }
    }

    /// The databases of spaces that the Postgres has.
    async fn databases(&self) -> String {
        let sql = "SELECT datname FROM pg_database WHERE datname LIKE 'spc-%'";
        self.bench.exec(&self.postgres, &["psql", "-qXAt", "-c", sql]).await
    }

    /// Deletes all spaces. Only the stack that they shared is left.
    async fn end(self, worker: Worker) {
        for space in &self.spaces {
            let gone = self.bench.change(space, Desired::Deleted);
            self.bench.told(&gone, ObservedState::Gone).await;
        }
        let stack = self.postgres.trim_end_matches("-postgres");
        let want = [
            format!("container {stack}-postgres running"),
            format!("network {stack}"),
            format!("volume {stack}-data"),
        ];
        assert_eq!(self.bench.objects().await, want);
        assert_eq!(self.networks().await, Vec::<String>::new());
        assert_eq!(self.databases().await, "");
        self.bench.end(worker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_left_a_network_is_put_back_by_the_next_look_at_all_spaces() {
    let (scene, worker) = Scene::new("left", 2).await;
    worker.stop().await;
    let request = NetworkDisconnectRequest { container: scene.postgres.clone(), force: None };
    let network = scene.spaces[0].id.docker_name();
    scene.bench.docker.disconnect_network(&network, request).await.unwrap();
    let worker = scene.bench.worker().await;
    scene.works(&worker).await;
    scene.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_networks_were_removed_while_it_was_stopped_starts_all_the_same() {
    let (scene, worker) = Scene::new("lost", 2).await;
    worker.stop().await;
    let docker = &scene.bench.docker;
    docker.stop_container(&scene.postgres, None).await.unwrap();
    for space in &scene.spaces {
        let name = space.id.docker_name();
        docker.stop_container(&format!("{name}-web"), None).await.unwrap();
        docker.remove_network(&name).await.unwrap();
    }
    assert!(docker.start_container(&scene.postgres, None).await.is_err(), "Docker does not");
    let worker = scene.bench.worker().await;
    scene.works(&worker).await;
    scene.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_in_a_shared_service_is_removed_with_the_space() {
    let (scene, worker) = Scene::new("begun", 1).await;
    worker.stop().await;
    // As if the worker had been killed before it knew that all was prepared.
    let space = &scene.spaces[0];
    std::fs::write(scene.bench.files(space).join("prepared"), "").unwrap();
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    let docker = &scene.bench.docker;
    docker.remove_container(&scene.postgres, Some(options)).await.unwrap();
    let gone = scene.bench.change(space, Desired::Deleted);
    let worker = scene.bench.worker().await;
    scene.bench.told(&gone, ObservedState::Gone).await;
    assert_eq!(scene.databases().await, "");
    scene.bench.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_made_anew_is_connected_to_every_space_again() {
    let (scene, worker) = Scene::new("anew", 2).await;
    let docker = &scene.bench.docker;
    let id = async || {
        let inspected =
            docker.inspect_container(&scene.postgres, None::<InspectContainerOptions>).await;
        inspected.ok().and_then(|it| it.id)
    };
    let before = id().await;
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    docker.remove_container(&scene.postgres, Some(options)).await.unwrap();
    scene.works(&worker).await;
    assert_ne!(id().await, before);
    for space in &scene.spaces {
        let own = scene.postgres.trim_end_matches("-postgres");
        assert_eq!(scene.names(space).await, ["db", own], "what the space calls it");
    }
    scene.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_space_has_in_a_shared_service_is_backed_up_before_it_is_removed_there() {
    let (scene, worker) = Scene::new("dump", 2).await;
    let space = &scene.spaces[0];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = client
        .post(format!("http://{}/", worker.gateway_addr()))
        .header("host", format!("{}.localhost", space.name.as_str()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("body=remember+me");
    assert!(post.send().await.unwrap().status().as_u16() < 400);

    let gone = scene.bench.change(space, Desired::Deleted);
    scene.bench.told(&gone, ObservedState::Gone).await;
    let (file, verified) = backup_of(&scene.bench, space);
    assert_eq!(verified.missing, Vec::<String>::new());
    let unpacked = unpack(&scene.bench, &file);
    let restore = |options: &[&str]| {
        let dump = File::open(unpacked.path().join("databases/main.dump")).unwrap();
        let mut docker = Command::new("docker");
        let docker = docker.args(["exec", "-i", &scene.postgres, "pg_restore"]).args(options);
        let output = docker.stdin(dump).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let list = restore(&["-l"]);
    assert!(list.contains("TABLE DATA"), "{list}");
    let sql = restore(&["-f", "-"]);
    assert!(sql.contains("remember me"), "{sql}");

    // The database of another is gone, behind everybody's back.
    let other = &scene.spaces[1];
    let drop = format!("DROP DATABASE \"{}\" WITH (FORCE)", other.id.docker_name());
    scene.bench.exec(&scene.postgres, &["psql", "-qX", "-d", "postgres", "-c", &drop]).await;
    let gone = scene.bench.change(other, Desired::Deleted);
    scene.bench.told(&gone, ObservedState::Gone).await;
    assert_eq!(backup_of(&scene.bench, other).1.missing, ["databases/main"]);
    scene.bench.end(worker).await;
}
