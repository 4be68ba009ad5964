//! Made-up containers, of which a made-up Docker speaks.

use super::*;
use crate::meter::{
    cgroup::{
        Counters,
        tests::{Layout, roots, write},
    },
    fake_docker::{FakeDocker, space},
};

/// A container that has used so much CPU.
fn used(cpu_us: u64) -> Sample {
    Sample { counters: Counters { cpu_us, ..Counters::default() }, memory_kib: 1024 }
}

struct Bench {
    folder: tempfile::TempDir,
    fake: Arc<FakeDocker>,
    roots: Roots,
    sampler: Sampler,
}

impl Bench {
    /// One with two containers of one space.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (fake, docker) = FakeDocker::start(folder.path());
        let roots = roots(folder.path());
        let labels = Labels::new("state".to_owned(), "host".to_owned());
        let sampler = Sampler::new(docker, labels, roots.clone());
        let bench = Self { folder, fake, roots, sampler };
        bench.run("a", 7, 70);
        bench.run("b", 8, 80);
        bench
    }

    fn run(&self, id: &str, pid: u32, cpu_us: u64) {
        write(&self.roots, pid, id, Layout::V1, &used(cpu_us));
        self.fake.run(id, &space(1), pid);
    }

    /// The CPU that each container has used.
    async fn sample(&mut self) -> Vec<(String, u64)> {
        let samples = self.sampler.sample().await.unwrap();
        let all = samples.into_iter().flat_map(|(of, containers)| {
            assert_eq!(of, space(1));
            containers
        });
        all.map(|(id, it)| (id, it.counters.cpu_us)).collect()
    }
}

fn seen(all: &[(&str, u64)]) -> Vec<(String, u64)> {
    all.iter().map(|(id, cpu_us)| ((*id).to_owned(), *cpu_us)).collect()
}

#[tokio::test]
async fn docker_is_asked_after_it_said_something_and_then_of_that_container() {
    let mut bench = Bench::new();
    assert_eq!(bench.sample().await, seen(&[("a", 70), ("b", 80)]));
    assert_eq!(bench.fake.asked(), ["list", "inspect a", "inspect b"]);
    bench.run("a", 7, 75);
    assert_eq!(bench.sample().await, seen(&[("a", 75), ("b", 80)]));
    assert_eq!(bench.fake.asked(), Vec::<String>::new());

    bench.run("c", 9, 90);
    locked(&bench.sampler.news).ids.insert("c".to_owned());
    assert_eq!(bench.sample().await, seen(&[("a", 75), ("b", 80), ("c", 90)]));
    assert_eq!(bench.fake.asked(), ["list", "inspect c"]);
}

#[tokio::test]
async fn what_docker_says_is_heard() {
    let mut bench = Bench::new();
    bench.sample().await;
    let listening = tokio::spawn(bench.sampler.listen());
    while !bench.fake.say("start", "b") {
        tokio::task::yield_now().await;
    }
    while locked(&bench.sampler.news).ids.is_empty() {
        tokio::task::yield_now().await;
    }
    let news = locked(&bench.sampler.news).clone();
    // What it did before it was listened to is not known.
    assert!(news.is_all && news.ids.contains("b"), "{news:?}");
    listening.abort();
}

#[tokio::test]
async fn the_number_of_a_process_that_is_somebody_elses_by_now_is_not_believed() {
    let mut bench = Bench::new();
    bench.sample().await;
    // A container was started again, and another one has the number that its process had.
    bench.run("b", 9, 5);
    write(&bench.roots, 8, "other", Layout::V1, &used(999));
    locked(&bench.sampler.news).ids.insert("b".to_owned());
    assert_eq!(bench.sample().await, seen(&[("a", 70), ("b", 5)]));
}

#[tokio::test]
async fn one_that_ends_is_left_out_and_found_when_it_runs_again() {
    let mut bench = Bench::new();
    bench.sample().await;
    bench.fake.asked();
    std::fs::remove_dir_all(bench.roots.proc.join("8")).unwrap();
    assert_eq!(bench.sample().await, seen(&[("a", 70)]));
    assert_eq!(bench.fake.asked(), Vec::<String>::new());
    bench.run("b", 10, 3);
    assert_eq!(bench.sample().await, seen(&[("a", 70), ("b", 3)]));
    assert_eq!(bench.fake.asked(), ["list", "inspect b"]);
}

#[tokio::test]
async fn one_that_cannot_be_read_is_not_taken_for_one_that_ended() {
    let mut bench = Bench::new();
    bench.sample().await;
    let file = bench.folder.path().join("cgroup/cpuacct/docker/b/cpuacct.usage");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let error = bench.sampler.sample().await.unwrap_err();
    assert!(matches!(error, SampleError::Files(_)), "{error}");
    std::fs::remove_dir(&file).unwrap();
    bench.run("b", 8, 81);
    assert_eq!(bench.sample().await, seen(&[("a", 70), ("b", 81)]));
}
