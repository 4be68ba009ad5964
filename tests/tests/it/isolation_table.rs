//! What a space can reach and do, tried from inside one. `docs/ISOLATION.md` has the table that this
//! prints.

mod scene;

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use e2e::{Object, Output, Visitor};

use self::scene::Scene;

/// What must come of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    /// It is what a space is for.
    Work,
    /// It is nobody's business.
    Fail,
}

/// What came of it.
struct Tried {
    what: String,
    must: Must,
    works: bool,
    /// The shortest thing that it said.
    said: String,
    took: Duration,
}

/// All tries.
#[derive(Default)]
struct Table(Vec<Tried>);

impl Table {
    fn add(
        &mut self,
        what: impl Into<String>,
        must: Must,
        attempt: impl FnOnce() -> (bool, String),
    ) {
        let (what, begin) = (what.into(), Instant::now());
        let (works, said) = attempt();
        self.0.push(Tried { what, must, works, said, took: begin.elapsed() });
    }

    /// A command in the space, which works if it ends with 0.
    fn run(&mut self, scene: &Scene, what: impl Into<String>, must: Must, command: &str) {
        self.add(what, must, || {
            let output = scene.inside(command);
            (output.code == Some(0), last_line(&output))
        });
    }

    /// A connection from the space.
    fn connect(&mut self, scene: &Scene, what: &str, must: Must, host: &str, port: u16) {
        // Runs something as soon as there is a connection, so an open port answers at once.
        let command = format!("busybox nc -w 3 {host} {port} -e /bin/busybox true");
        self.run(scene, format!("{what} ({host}:{port})"), must, &command);
    }

    /// The table in Markdown.
    #[expect(clippy::print_stdout, reason = "for whoever runs it")]
    fn print(&self) {
        println!("\n| from inside a space | | it said | ms |\n|---|---|---|---|");
        for it in &self.0 {
            let result = if it.works { "works" } else { "refused" };
            println!("| {} | {result} | {} | {} |", it.what, it.said, it.took.as_millis());
        }
    }

    /// What is not as it must be.
    fn wrong(&self) -> Vec<&str> {
        let is_wrong = |it: &&Tried| it.works != (it.must == Must::Work);
        self.0.iter().filter(is_wrong).map(|it| it.what.as_str()).collect()
    }
}

fn last_line(output: &Output) -> String {
    let text = format!("{}\n{}", output.stdout, output.stderr);
    let last = text.lines().rfind(|it| !it.trim().is_empty()).unwrap_or_default();
    last.replace('|', "/").trim().chars().take(60).collect()
}

#[test]
fn a_space_reaches_the_internet_and_itself_and_nothing_else() {
    let scene = Scene::new();
    let mut table = Table::default();
    what_works(&scene, &mut table);
    other_spaces(&scene, &mut table);
    the_host(&scene, &mut table);
    other_networks(&scene, &mut table);
    table.print();
    assert_eq!(table.wrong(), Vec::<&str>::new());
}

fn what_works(scene: &Scene, table: &mut Table) {
    table.connect(scene, "its own service, by name", Must::Work, "side", 8080);
    table.connect(scene, "its own service, by address", Must::Work, &scene.side, 8080);
    let (internet, port) = scene.internet;
    table.connect(scene, "the internet", Must::Work, internet, port);
    // No such name is an answer, too.
    let resolve = "busybox nslookup no-such-name.test 2>&1 | grep -E 'NXDOMAIN|can.t find'";
    table.run(scene, "a name on the internet", Must::Work, resolve);
    table.add("the gateway to the space", Must::Work, || {
        let answer = Visitor::of(&scene.installation.gateway()).get("prober", "/");
        (answer.status == 200, format!("{}", answer.status))
    });
}

fn other_spaces(scene: &Scene, table: &mut Table) {
    let other = &scene.other;
    table.connect(scene, "another space's app, by address", Must::Fail, &other.web, 8080);
    table.connect(scene, "another space's app, by name", Must::Fail, &other.web_name, 8080);
    table.connect(scene, "another space's database, by address", Must::Fail, &other.db, 5432);
    table.connect(scene, "another space's database, by name", Must::Fail, &other.db_name, 5432);
    let (foreign, port) = (&scene.foreign.address, scene.foreign.port);
    table.connect(scene, "a container of somebody else", Must::Fail, foreign, 8080);
    for address in &scene.host_addresses {
        table.connect(scene, "its published port", Must::Fail, address, port);
    }
}

fn the_host(scene: &Scene, table: &mut Table) {
    for address in &scene.host_addresses {
        for (what, port) in &scene.host_ports {
            table.connect(scene, what, Must::Fail, address, *port);
        }
    }
    for port in [2375, 2376] {
        table.connect(scene, "Docker's API", Must::Fail, &scene.own_gateway, port);
    }
    let socket = "test -S /var/run/docker.sock -o -S /run/docker.sock";
    table.run(scene, "Docker's socket", Must::Fail, socket);
    let ping = format!("busybox ping -c 1 -W 2 {}", scene.own_gateway);
    table.run(scene, "a ping to the host", Must::Fail, &ping);
}

fn other_networks(scene: &Scene, table: &mut Table) {
    let (metadata, port) = scene.metadata;
    table.connect(scene, "the metadata of the cloud", Must::Fail, metadata, port);
    let (neighbour, port) = scene.neighbour;
    table.connect(scene, "a machine in a private network", Must::Fail, neighbour, port);
    table.run(scene, "any address of IPv6", Must::Fail, "grep -v ' lo$' /proc/net/if_inet6");
    for address in &scene.host_addresses_6 {
        let (what, port) = &scene.host_ports[0];
        table.connect(scene, &format!("{what} by IPv6"), Must::Fail, address, *port);
    }
}

#[test]
fn a_space_has_no_powers_to_get_out_with() {
    let scene = Scene::new();
    let mut table = Table::default();
    powers_over_packets(&scene, &mut table);
    powers_over_files(&scene, &mut table);
    secrets_of_others(&scene, &mut table);
    powers_over_processes(&scene, &mut table);
    table.print();
    assert_eq!(table.wrong(), Vec::<&str>::new());
    let answer = Visitor::of(&scene.installation.gateway()).get("neighbour", "/");
    assert_eq!(answer.status, 200, "nobody else notices");
}

fn powers_over_packets(scene: &Scene, table: &mut Table) {
    let gateway = &scene.own_gateway;
    #[rustfmt::skip]
    let rows = [
        ("a packet of its own making (ARP)", format!("busybox arping -c 1 -I eth0 {gateway}")),
        ("a forged ping",                    format!("busybox ping -I 10.213.255.254 -c 1 {gateway}")),
        ("another address",                  "busybox ip address add 10.213.255.254/16 dev eth0".to_owned()),
        ("another MAC address",              "busybox ip link set eth0 address 02:00:00:00:00:01".to_owned()),
        ("another route",                    format!("busybox ip route add 198.51.100.0/24 via {gateway}")),
        ("to forward for others",            "grep 1 /proc/sys/net/ipv4/ip_forward".to_owned()),
    ];
    for (what, command) in rows {
        table.run(scene, what, Must::Fail, &command);
    }
}

fn powers_over_files(scene: &Scene, table: &mut Table) {
    table.run(scene, "to write into its volume", Must::Work, "echo x > /data/file");
    #[rustfmt::skip]
    let rows = [
        ("to write elsewhere",            "echo x > /etc-file || echo x > /usr/file"),
        ("to write to /proc/sys",         "echo x > /proc/sys/kernel/core_pattern"),
        ("to write to /sys",              "echo 1 > /sys/kernel/mm/ksm/run"),
        ("to raise its own limits",       "echo 9999999999 > /sys/fs/cgroup/memory/memory.limit_in_bytes || \
                                           echo max > /sys/fs/cgroup/memory.max"),
        ("to outlive others without memory", "echo -1000 > /proc/self/oom_score_adj"),
        ("to be ended after the host's own", "test $(cat /proc/1/oom_score_adj) -lt 400"),
        ("to restart the machine",        "echo b > /proc/sysrq-trigger"),
        ("to mount",                      "busybox mount -t tmpfs none /data"),
        ("to make a device",              "busybox mknod /data/disk b 8 0"),
        ("a namespace of its own",        "busybox unshare -r true"),
        ("the host's namespaces",         "busybox nsenter -t 1 -n -p true && test $(ls -d /proc/[0-9]* | wc -l) -gt 20"),
        ("to change root and get out",    "busybox chroot /data true"),
        ("the kernel's log",              "busybox dmesg"),
        ("a device of the host",          "ls /dev | grep -E '^(sd|vd|nvme|kvm|mem|kmsg)'"),
    ];
    for (what, command) in rows {
        table.run(scene, what, Must::Fail, command);
    }
}

fn secrets_of_others(scene: &Scene, table: &mut Table) {
    #[rustfmt::skip]
    let rows = [
        ("a process of anybody else",      "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -E '[p]ostgres|[d]ockerd|[s]paceport'"),
        ("an environment of anybody else", "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -E '[P]OSTGRES_PASSWORD|[P]GPASSWORD'"),
        ("the kernel's keys",              "test -s /proc/keys || test -s /proc/key-users"),
        ("the kernel's memory",            "head -c 1 /proc/kcore | grep ."),
        ("the host's files",               "ls /host /mnt/* /var/lib/docker"),
        ("control groups of others",       "ls -d /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker"),
    ];
    for (what, command) in rows {
        table.run(scene, what, Must::Fail, command);
    }
    table.run(
        scene,
        "a capability, or a way to one",
        Must::Fail,
        "! (grep -q 'CapEff:.0000000000000000' /proc/self/status && \
            grep -q 'CapBnd:.0000000000000000' /proc/self/status && \
            grep -q 'NoNewPrivs:.1' /proc/self/status && grep -q 'Seccomp:.2' /proc/self/status)",
    );
}

fn powers_over_processes(scene: &Scene, table: &mut Table) {
    table.add("10,000 processes", Must::Fail, || {
        let fork = "i=0; while [ $i -lt 10000 ]; do busybox sleep 3 & i=$((i+1)); done; echo $i";
        let output = scene.inside(fork);
        (output.stdout.contains("10000"), last_line(&output))
    });
    e2e::eventually(Duration::from_secs(20), || match scene.inside("true").code {
        Some(0) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    table.add("more memory than its limit", Must::Fail, || {
        let output = scene.inside("a=0123456789; while [ ${#a} -lt 200000000 ]; do a=$a$a; done");
        (output.code == Some(0), format!("exit {:?}", output.code))
    });
}

#[test]
fn a_space_that_fills_its_disk_is_suspended_with_its_data_and_comes_back() {
    let scene = Scene::new();
    let is_so = |what: &str, is_so: fn(&serde_json::Value) -> bool| {
        e2e::eventually(Duration::from_secs(30), || {
            let space = scene.tenant.space(&scene.space);
            if is_so(&space) { Ok(()) } else { Err(format!("not {what}: {space}")) }
        });
    };
    let reason = |it: &serde_json::Value| it["reason"].as_str().unwrap_or_default().to_owned();
    // The app may use 64 MiB.
    let some = scene.inside("busybox dd if=/dev/zero of=/data/some bs=1M count=60");
    assert_eq!(some.code, Some(0), "{some:?}");
    is_so("warned", |it| it["phase"] == "running" && it["reason"].as_str().is_some());
    let warning = reason(&scene.tenant.space(&scene.space));
    assert!(warning.starts_with("disk nearly full: "), "{warning}");

    let begin = Instant::now();
    let more = scene.inside("busybox dd if=/dev/zero of=/data/more bs=1M count=20000");
    assert_ne!(more.code, Some(0), "{more:?}");
    let suspended = scene.tenant.wait_for(&scene.space, "suspended");
    let volume = Object::labelled(&format!("spaceport.space={}", scene.space)).pop().unwrap();
    let folder = PathBuf::from(volume.inspected["Mountpoint"].as_str().unwrap());
    let mib = |file: &str| fs::metadata(folder.join(file)).unwrap().len() >> 20;
    println!("suspended {:?} after it began to write, {} MiB later", begin.elapsed(), mib("more"));
    assert_eq!(suspended["desired"], "running");
    assert!(reason(&suspended).starts_with("disk full: "), "{suspended}");
    assert_eq!(mib("some"), 60, "its data is kept");
    let visitor = Visitor::of(&scene.installation.gateway());
    assert_eq!(visitor.get("prober", "/").status, 503);
    assert_eq!(visitor.get("neighbour", "/").status, 200, "nobody else notices");

    fs::remove_file(folder.join("more")).unwrap();
    fs::remove_file(folder.join("some")).unwrap();
    is_so("back", |it| it["phase"] == "running" && it["reason"].is_null());
    assert_eq!(visitor.get("prober", "/").status, 200);
}
