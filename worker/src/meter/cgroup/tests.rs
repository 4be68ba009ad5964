//! Made-up trees, as the drivers of Docker lay them out.

use super::*;

const COUNTERS: Counters =
    Counters { cpu_us: 1_500_000, rx_bytes: 10, tx_bytes: 20, read_bytes: 30, write_bytes: 40 };

/// How a host keeps its cgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The first version, by Docker itself.
    V1,
    /// The second, by systemd.
    V2,
}

/// Places for a made-up host.
pub(crate) fn roots(folder: &Path) -> Roots {
    Roots { proc: folder.join("proc"), cgroup: folder.join("cgroup") }
}

/// Writes the files of a container that has used so much.
pub(crate) fn write(roots: &Roots, pid: u32, id: &str, layout: Layout, sample: &Sample) {
    let Sample { counters: it, memory_kib } = sample;
    let process = roots.proc.join(pid.to_string());
    let net = format!("eth0: {} 1 0 0 0 0 0 0 {} 1 0 0 0 0 0 0\n", it.rx_bytes, it.tx_bytes);
    put(&process.join("net/dev"), &net);
    let memory = format!("{}\n", (memory_kib + 4) * 1024);
    if layout == Layout::V2 {
        let path = format!("system.slice/docker-{id}.scope");
        put(&process.join("cgroup"), &format!("0::/{path}\n"));
        let group = roots.cgroup.join(path);
        put(&group.join("cpu.stat"), &format!("usage_usec {}\nuser_usec 1\n", it.cpu_us));
        put(&group.join("memory.current"), &memory);
        put(&group.join("memory.stat"), "anon 1\ninactive_file 4096\n");
        let io = format!("8:0 rbytes={} wbytes={} rios=1\n", it.read_bytes, it.write_bytes);
        put(&group.join("io.stat"), &io);
        return;
    }
    let groups = ["12:blkio", "4:memory", "3:cpu,cpuacct", "1:name=systemd"];
    let groups = groups.map(|it| format!("{it}:/docker/{id}\n"));
    put(&process.join("cgroup"), &groups.concat());
    let group = |it: &str| roots.cgroup.join(it).join("docker").join(id);
    put(&group("cpuacct").join("cpuacct.usage"), &format!("{}\n", it.cpu_us * 1000));
    put(&group("memory").join("memory.usage_in_bytes"), &memory);
    let stat = "cache 1\ninactive_file 1\ntotal_inactive_file 4096\n";
    put(&group("memory").join("memory.stat"), stat);
    let io = format!("8:0 Read {}\n8:0 Write {}\nTotal 9\n", it.read_bytes, it.write_bytes);
    put(&group("blkio").join("blkio.throttle.io_service_bytes"), &io);
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn both_versions_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample { counters: COUNTERS, memory_kib: 2048 };
    for (pid, layout) in [(7, Layout::V1), (8, Layout::V2)] {
        let roots = roots(&folder.path().join(pid.to_string()));
        write(&roots, pid, "abc", layout, &sample);
        let group = Group::of(&roots, pid).unwrap();
        assert_eq!(group.sample().unwrap(), sample, "{layout:?}");
        assert!(has_ended(&Group::of(&roots, 9).unwrap_err()), "there is no such process");
    }
}

#[test]
fn a_controller_is_where_the_first_version_has_it_or_the_second_has_all() {
    let split = "4:memory:/docker/a\n3:cpuacct:/docker/a\n2:blkio:/docker/a\n0::/\n";
    let joint = "4:memory:/system.slice/docker-a.scope\n3:cpu,cpuacct:/system.slice/docker-a.scope\n\
        1:name=systemd:/system.slice/docker-a.scope\n";
    let hybrid = "3:cpu,cpuacct:/docker/a\n0::/docker/a\n";
    let unified = "0::/system.slice/docker-a.scope\n";
    #[rustfmt::skip]
    let rows: &[(&[&str], &str, &str, &str)] = &[
        // mounts                       groups   controller  where
        (&["cpuacct", "memory"],         split,   "cpuacct", "v1 cpuacct/docker/a"),
        (&["memory"],                    split,   "memory",  "v1 memory/docker/a"),
        (&["cpu,cpuacct", "cpuacct"],    joint,   "cpuacct", "v1 cpuacct/system.slice/docker-a.scope"),
        (&["cpu,cpuacct"],               joint,   "cpuacct", "v1 cpu,cpuacct/system.slice/docker-a.scope"),
        (&["cpu,cpuacct"],               joint,   "blkio",   "nowhere"),
        (&["cpu,cpuacct", "unified"],    hybrid,  "cpuacct", "v1 cpu,cpuacct/docker/a"),
        (&["cpu,cpuacct", "unified"],    hybrid,  "memory",  "v2 unified/docker/a"),
        (&[],                            unified, "memory",  "v2 system.slice/docker-a.scope"),
        (&[],                            "0::/../../a\n", "memory", "v2 ../../a"), // seen from a container
        (&[],                            "",      "memory",  "nowhere"),
        (&[],                            "what?", "memory",  "nowhere"),
    ];
    for (mounts, groups, controller, want) in rows {
        let root = tempfile::tempdir().unwrap();
        for mount in *mounts {
            fs::create_dir(root.path().join(mount)).unwrap();
        }
        let below = |it: &Path| it.strip_prefix(root.path()).unwrap().display().to_string();
        let found = match folder(groups, controller, root.path()) {
            Folder::V1(path) => format!("v1 {}", below(&path)),
            Folder::V2(path) => format!("v2 {}", below(&path)),
            Folder::Nowhere => "nowhere".to_owned(),
        };
        assert_eq!(&found, want, "{groups} {controller} {mounts:?}");
    }
}

#[test]
fn the_file_that_counts_is_the_one_that_is_read() {
    #[rustfmt::skip]
    let rows: &[(&[(&str, u64)], u64)] = &[
        (&[],                                                            0),
        (&[("throttle.io_service_bytes", 5)],                            5),
        (&[("throttle.io_service_bytes", 5), ("throttle.io_service_bytes_recursive", 9)], 9),
        (&[("throttle.io_service_bytes_recursive", 0), ("bfq.io_service_bytes_recursive", 7)], 7),
        (&[("bfq.io_service_bytes", 3)],                                 3),
    ];
    for (files, want) in rows {
        let group = tempfile::tempdir().unwrap();
        for (name, bytes) in *files {
            put(&group.path().join(format!("blkio.{name}")), &format!("8:0 Write {bytes}\n"));
        }
        assert_eq!(io_of_v1(group.path()).unwrap(), (0, *want), "{files:?}");
    }
}

#[test]
fn what_a_kernel_leaves_out_is_nothing_and_what_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let roots = roots(folder.path());
    let sample = Sample { counters: COUNTERS, memory_kib: 2048 };
    write(&roots, 8, "abc", Layout::V2, &sample);
    let group = Group::of(&roots, 8).unwrap();
    let files = roots.cgroup.join("system.slice/docker-abc.scope");

    fs::remove_file(files.join("io.stat")).unwrap();
    fs::remove_file(files.join("memory.stat")).unwrap();
    let counters = Counters { read_bytes: 0, write_bytes: 0, ..COUNTERS };
    assert_eq!(group.sample().unwrap(), Sample { counters, memory_kib: 2052 });

    // That a number is not there for a moment must not look like a container that began again.
    fs::remove_file(files.join("cpu.stat")).unwrap();
    fs::create_dir(files.join("cpu.stat")).unwrap();
    assert!(!has_ended(&group.sample().unwrap_err()));
    fs::remove_dir(files.join("cpu.stat")).unwrap();

    fs::remove_dir_all(roots.proc.join("8")).unwrap();
    assert!(has_ended(&group.sample().unwrap_err()));
}
