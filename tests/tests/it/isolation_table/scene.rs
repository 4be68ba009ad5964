//! A host with two spaces, a container of somebody else, services on every address, a private network
//! beside it and an internet behind it.

use std::{
    fs::{self, File},
    io::Write as _,
    net::TcpListener,
    process::Command,
    thread,
};

use e2e::{Installation, Object, Output, Signer, Tenant, docker, run};
use serde_json::Value;

/// An app with nothing in it but a shell, a volume and a second service.
const COMPOSE: &str = "
services:
  web:
    image: spaceport/hello:1
    environment: {SPACE_NAME: x, SPACE_TITLE: x, GREETING: x}
    user: \"0:0\"
    volumes: [\"data:/data\"]
    read_only: true
    tmpfs: [\"/tmp:size=1m\"]
    depends_on: [side]
    mem_limit: 32m
    pids_limit: 64
    stop_grace_period: 1s
  side:
    image: spaceport/hello:1
    environment: {SPACE_NAME: x, SPACE_TITLE: x, GREETING: x}
    read_only: true
    tmpfs: [\"/tmp:size=1m\"]
    mem_limit: 16m
    pids_limit: 16
    stop_grace_period: 1s
volumes: {data: {}}
";

const MANIFEST: &str = "
title = \"Prober\"
description = \"It tries to get out.\"
version = \"1\"
web = { service = \"web\", port = 8080 }
ready = { path = \"/healthz\", timeout_seconds = 30 }
disk = { mib = 64 }
";

const METADATA: &str = "169.254.169.254";
const INTERNET: &str = "203.0.113.7";
const NEIGHBOUR: &str = "172.31.213.7";

/// The containers of the other space: addresses and names.
pub(super) struct Other {
    pub(super) web: String,
    pub(super) web_name: String,
    pub(super) db: String,
    pub(super) db_name: String,
}

/// A container that is not Spaceport's.
pub(super) struct Foreign {
    pub(super) name: String,
    pub(super) address: String,
    /// Its port on every address of the host.
    pub(super) port: u16,
}

/// All of it; dropped, it is gone.
pub(super) struct Scene {
    pub(super) installation: Installation,
    pub(super) tenant: Tenant,
    /// The space that tries.
    pub(super) space: String,
    /// The container that tries.
    container: String,
    /// The address of the space's second service.
    pub(super) side: String,
    /// The host in the space's own network.
    pub(super) own_gateway: String,
    pub(super) other: Other,
    pub(super) foreign: Foreign,
    pub(super) host_addresses: Vec<String>,
    pub(super) host_addresses_6: Vec<String>,
    /// What listens on every address of the host.
    pub(super) host_ports: Vec<(&'static str, u16)>,
    pub(super) internet: (&'static str, u16),
    pub(super) neighbour: (&'static str, u16),
    pub(super) metadata: (&'static str, u16),
    _outside: Outside,
    _turn: File,
}

impl Scene {
    pub(super) fn new() -> Self {
        // There is one such address and link, and tests run side by side.
        let turn = File::create(std::env::temp_dir().join("spaceport-isolation.lock")).unwrap();
        turn.lock().unwrap();
        let installation = Installation::default().listening_everywhere();
        let apps = installation.scratch().join("apps");
        write_app(&apps.join("prober"), COMPOSE, MANIFEST);
        let notes = e2e::home().join("apps/notes");
        let read = |file| fs::read_to_string(notes.join(file)).unwrap();
        write_app(&apps.join("notes"), &read("compose.yaml"), &read("app.toml"));
        let mut installation = installation.with_apps(&apps);
        installation.up();

        let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
        let prober = tenant.create("prober", "prober");
        let neighbour = tenant.create("notes", "neighbour");
        tenant.wait_for(&prober, "running");
        tenant.wait_for(&neighbour, "running");
        let (web, side) = (container(&prober, "web"), container(&prober, "side"));
        let (other_web, other_db) = (container(&neighbour, "web"), container(&neighbour, "db"));
        let foreign = foreign();
        let outside = Outside::with(&[INTERNET, NEIGHBOUR, METADATA]);
        let host_ports = vec![
            ("the host's SSH", listen_everywhere("[::]:0")),
            ("the edge", port_of(installation.edge().origin())),
            ("the gateway", port_of(&installation.gateway())),
        ];
        let [own_gateway, other_gateway] = [&web, &other_web].map(gateway);
        let [host_addresses, host_addresses_6] = addresses([&own_gateway, &other_gateway]);
        Self {
            space: prober,
            tenant,
            container: web.name().to_owned(),
            side: address(&side),
            own_gateway,
            other: Other {
                web: address(&other_web),
                web_name: other_web.name().to_owned(),
                db: address(&other_db),
                db_name: other_db.name().to_owned(),
            },
            foreign,
            host_addresses,
            host_addresses_6,
            metadata: (METADATA, 8080),
            host_ports,
            internet: (INTERNET, 8080),
            neighbour: (NEIGHBOUR, 8080),
            installation,
            _outside: outside,
            _turn: turn,
        }
    }

    /// Runs a line of shell in the space.
    pub(super) fn inside(&self, command: &str) -> Output {
        let limited = ["exec", &self.container, "busybox", "timeout", "60"];
        docker(&[&limited[..], &["busybox", "sh", "-c", command]].concat())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", &self.foreign.name]);
    }
}

fn write_app(folder: &std::path::Path, compose: &str, manifest: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("compose.yaml"), compose).unwrap();
    fs::write(folder.join("app.toml"), manifest).unwrap();
}

fn container(space: &str, service: &str) -> Object {
    let objects = Object::labelled(&format!("spaceport.space={space}"));
    objects.into_iter().find(|it| it.label("spaceport.service") == service).unwrap()
}

fn network(container: &Object) -> Value {
    let networks = container.inspected["NetworkSettings"]["Networks"].as_object().unwrap();
    networks.values().next().unwrap().clone()
}

fn address(container: &Object) -> String {
    network(container)["IPAddress"].as_str().unwrap().to_owned()
}

/// The host in the network of a container.
fn gateway(container: &Object) -> String {
    network(container)["Gateway"].as_str().unwrap().to_owned()
}

fn port_of(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap()
}

/// A service that says something to whoever connects.
fn listen_everywhere(at: &str) -> u16 {
    let listener = TcpListener::bind(at).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.and_then(|mut it| it.write_all(b"SSH-2.0-stand-in\r\n"));
        }
    });
    port
}

/// A container with a port published on every address of the host.
fn foreign() -> Foreign {
    let name = format!("isolation-foreign-{}", std::process::id());
    let image = ["--publish", "8080", "--tmpfs", "/tmp", "spaceport/hello:1"];
    let made = docker(&[&["run", "--detach", "--name", &name][..], &image].concat());
    assert_eq!(made.code, Some(0), "{made:?}");
    let inspected = docker(&["inspect", &name]);
    let inspected: Value = serde_json::from_str(&inspected.stdout).unwrap();
    let settings = &inspected[0]["NetworkSettings"];
    let port = settings["Ports"]["8080/tcp"][0]["HostPort"].as_str().unwrap();
    Foreign {
        address: settings["IPAddress"].as_str().unwrap().to_owned(),
        port: port.parse().unwrap(),
        name,
    }
}

/// Every address of the host, IPv4 and IPv6, but those on bridges that none of `gateways` is on: other
/// tests make them, and take them away.
fn addresses(gateways: [&str; 2]) -> [Vec<String>; 2] {
    let listed = command("ip", &["-o", "address", "show", "up"]).stdout;
    let parsed: Vec<[&str; 2]> = listed
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Some([*words.get(1)?, words.get(3)?.split('/').next()?])
        })
        .collect();
    let bridge_of = |gateway: &str| parsed.iter().find(|it| it[1] == gateway).unwrap()[0];
    let bridges = gateways.map(bridge_of);
    let is_meant = |it: &&[&str; 2]| !it[0].starts_with("br-") || bridges.contains(&it[0]);
    let shown = |[interface, address]: &[&str; 2]| match address.starts_with("fe80") {
        // How the space would have to say that it means its own link.
        true if *interface == bridges[0] => Some(format!("{address}%eth0")),
        true => None,
        false => Some((*address).to_owned()),
    };
    let all = parsed.iter().filter(is_meant).filter_map(shown);
    let (ipv6, ipv4) = all.partition(|it| it.contains(':'));
    [ipv4, ipv6]
}

fn command(program: &str, arguments: &[&str]) -> Output {
    let output = run(Command::new(program).args(arguments));
    assert_eq!(output.code, Some(0), "{program} {arguments:?}: {output:?}");
    output
}

/// A machine behind this one, with addresses of all kinds.
struct Outside {
    container: String,
}

impl Outside {
    fn with(addresses: &[&str]) -> Self {
        let container = format!("isolation-outside-{}", std::process::id());
        let image = ["--network", "none", "--tmpfs", "/tmp", "spaceport/hello:1"];
        let made = docker(&[&["run", "--detach", "--name", &container][..], &image].concat());
        assert_eq!(made.code, Some(0), "{made:?}");
        let outside = Self { container };
        let found = docker(&["inspect", "--format", "{{.State.Pid}}", &outside.container]);
        let pid = found.stdout.trim();
        let link = ["link", "add", "isolation0", "type", "veth", "peer", "name", "isolation1"];
        command("ip", &link);
        command("ip", &["link", "set", "isolation1", "netns", pid]);
        command("ip", &["link", "set", "isolation0", "up"]);
        let inside = |arguments: &[&str]| {
            command("nsenter", &[&["-t", pid, "-n", "ip"][..], arguments].concat());
        };
        inside(&["link", "set", "isolation1", "up"]);
        inside(&["route", "add", "default", "dev", "isolation1"]);
        for address in addresses {
            let address = format!("{address}/32");
            inside(&["address", "add", &address, "dev", "isolation1"]);
            command("ip", &["route", "add", &address, "dev", "isolation0"]);
        }
        outside
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", &self.container]);
        let _ = run(Command::new("ip").args(["link", "del", "isolation0"]));
    }
}
