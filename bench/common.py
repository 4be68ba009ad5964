"""What the benches share: a running Spaceport, its clients, and tables."""

import contextlib
import http.client
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
SPACEPORT = ROOT / "dist/spaceport"
PEERS = ROOT / "bench/peers"
CLIENTS = ROOT / "tests/clients"
# The first account that anvil prints. Worth nothing.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
# What is measured is the work, not the limits.
NO_LIMITS = {"rate_general_per_min": "0", "rate_provision_per_hour": "0"}
# How often a bench looks whether something is ready.
PERIOD_S = 0.005


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def need(*programs):
    missing = [it for it in programs if not shutil.which(it)]
    if missing:
        sys.exit(f"install first: {' '.join(missing)}")
    if not SPACEPORT.exists():
        sys.exit("build first: scripts/build")


def npm_ci(folder):
    installed, locked = folder / "node_modules/.package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
        say(f"installing the packages of {folder.relative_to(ROOT)}")
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True)


def request(url, method, path, headers=None, body=None, timeout=60):
    """One request on a connection of its own; returns status, headers and body."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)
    try:
        text = None if body is None else json.dumps(body)
        headers = dict(headers or {}, **({"content-type": "application/json"} if text else {}))
        connection.request(method, path, text, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def cargo_build(folder):
    """Builds a package that is not the workspace's, and tells where its programs are."""
    say(f"building {folder.relative_to(ROOT)}")
    target = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
    command = ["cargo", "build", "--quiet", "--release", "--target-dir", target]
    subprocess.run(command, cwd=folder, check=True)
    return Path(target, "release")


def environment(variables):
    """The environment of a process whose Spin variables are these."""
    spin = {f"SPIN_VARIABLE_{name.upper()}": value for name, value in variables.items()}
    return dict(os.environ, **spin)


class Edge:
    """A `spaceport edge` on one core, of the manifest in `home`; its state goes at the end."""

    def __init__(self, home=ROOT):
        self.folder = tempfile.mkdtemp(prefix="spaceport-bench-")
        self.environment = dict(environment(NO_LIMITS), SPACEPORT_HOME=str(home))
        self.start()

    def start(self):
        command = ["taskset", "-c", "0", SPACEPORT, "edge", "--json"]
        command += ["--edge", "127.0.0.1:0", "--state", f"{self.folder}/state"]
        with open(f"{self.folder}/log", "w") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(Path(f"{self.folder}/log").read_text() or "spaceport edge ended")
        self.url, self.pid = json.loads(line)["edge"], self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def end(self):
        self.stop()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Spaceport:
    """A `spaceport up` on a state of its own, signed in; everything of it goes at the end."""

    def __init__(self, prefix=(), variables=None):
        npm_ci(CLIENTS)
        self.environment = environment(NO_LIMITS | (variables or {}))
        self.folder = tempfile.mkdtemp(prefix="spaceport-bench-")
        self.state = f"{self.folder}/state"
        self.command = [*prefix, SPACEPORT, "up", "--json", "--state", self.state]
        self.command += ["--edge", "127.0.0.1:0", "--gateway", "127.0.0.1:0"]
        self.start()
        self.token = self.sign_in()

    def start(self):
        with open(f"{self.folder}/log", "w") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(Path(f"{self.folder}/log").read_text() or "spaceport up ended")
        ready = json.loads(line)
        self.edge, self.gateway, self.pid = ready["edge"], ready["gateway"], ready["pid"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()

    def sign_in(self):
        nonce = json.loads(request(self.edge, "GET", "/v1/auth/nonce")[2])["nonce"]
        ask = json.dumps({"act": "sign", "key": KEY, "site": self.edge, "fields": {"nonce": nonce}})
        signer = subprocess.run(
            ["node", "signer.mjs"], input=ask, cwd=CLIENTS, capture_output=True, text=True, check=True
        )
        proof = json.loads(signer.stdout)
        body = {"message": proof["message"], "signature": proof["signature"]}
        return json.loads(request(self.edge, "POST", "/v1/auth/verify", body=body)[2])["token"]

    def call(self, method, path, body=None):
        headers = {"authorization": f"Bearer {self.token}"}
        status, _, text = request(self.edge, method, path, headers, body)
        return status, json.loads(text) if text else None

    def create(self, app, name):
        status, space = self.call("POST", "/v1/spaces", {"app": app, "name": name})
        if status != 202:
            sys.exit(f"the space was refused: {status} {space}")
        return space

    def wait_for(self, space, phase):
        deadline = time.monotonic() + 120
        while True:
            now = self.call("GET", f"/v1/spaces/{space['id']}")[1]
            if now["phase"] == phase:
                return now
            if now["phase"] == "failed" or deadline < time.monotonic():
                sys.exit(f"not {phase}: {now}")
            time.sleep(0.02)

    def visit(self, name, path="/"):
        return request(self.gateway, "GET", path, {"host": f"{name}.localhost"})[0]

    def delete(self, space):
        self.call("DELETE", f"/v1/spaces/{space['id']}")
        self.wait_for(space, "deleted")

    def end(self):
        self.stop()
        down = [SPACEPORT, "down", "--state", self.state, "--purge"]
        subprocess.run(down, stdout=subprocess.DEVNULL, check=True)
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def until(look, limit_s=120):
    """Waits until `look` is true."""
    deadline = time.monotonic() + limit_s
    while not look():
        if deadline < time.monotonic():
            sys.exit("it takes too long")
        time.sleep(PERIOD_S)


def answers(url, path):
    """Whether there is a 2xx at `path`, with the patience of a readiness probe."""
    try:
        return 200 <= request(url, "GET", path, timeout=2)[0] < 300
    except OSError:
        return False


def resident_mb(pid):
    """Resident memory of a process in MB, and of it the part that is no file's."""
    status = Path(f"/proc/{pid}/status").read_text()
    kb = {it: int(re.search(rf"{it}:\s+(\d+)", status)[1]) for it in ("VmRSS", "RssAnon")}
    return kb["VmRSS"] / 1000, kb["RssAnon"] / 1000


def p95(values):
    return statistics.quantiles(values, n=20, method="inclusive")[18]


def table(heading, rows):
    lines = [heading, ["---"] * len(heading), *rows]
    print()
    for line in lines:
        print("| " + " | ".join(str(it) for it in line) + " |")
    print(flush=True)


def machine():
    """Says on what, and how busy it was before the bench: figures of a busy machine mean little."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[0]
    docker = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True
    ).stdout.strip()
    cpu = model[1] if model else platform.machine()
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores of {cpu}, Linux {platform.release()}, "
          f"Docker {docker}, load before {load:.1f}")
