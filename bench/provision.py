"""From the wish to the first good answer: Spaceport, docker-compose, and the bare Docker API.

The three take turns, so that whatever else this machine does hits all of them. The bare sequence of
API calls is the floor: nobody can make the same network and containers in fewer calls.
"""

import contextlib
import http.client
import json
import os
import secrets
import socket
import statistics
import subprocess
import time

from common import ROOT, Spaceport, answers, machine, need, p95, say, table, until

N_RUNS = 20
# A range of addresses that neither Spaceport's pool nor Docker's own has.
SUBNET = "10.212.0.0/28"
READY = {"hello": "/healthz", "notes": "/ready/"}


class Docker:
    """The Docker Engine by its socket, without a client between."""

    class Connection(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect("/var/run/docker.sock")

    def __init__(self):
        self.connection = Docker.Connection("docker")

    def call(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"content-type": "application/json"})
        response = self.connection.getresponse()
        answer = response.read()
        if 400 <= response.status:
            raise RuntimeError(f"{method} {path}: {response.status} {answer}")
        return json.loads(answer) if answer else None


def service(image, environment, network, alias, memory_mib, cpus, pids, tmpfs_mib, mounts=()):
    """A container with the fence that Spaceport puts around it, too."""
    memory = memory_mib * 1024 * 1024
    host = {
        "NetworkMode": network, "ReadonlyRootfs": True, "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"], "Memory": memory, "MemorySwap": memory,
        "NanoCpus": int(cpus * 1e9), "PidsLimit": pids, "Tmpfs": {"/tmp": f"size={tmpfs_mib}m"},
        "Mounts": [{"Type": "volume", "Source": source, "Target": to} for source, to in mounts],
    }
    return {
        "Image": image, "Env": [f"{name}={value}" for name, value in environment.items()],
        "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": [alias]}}},
    }


def containers(app, name):
    """The containers of an app in the order in which they start: name and body."""
    if app == "hello":
        environment = {"SPACE_NAME": name, "SPACE_TITLE": name, "GREETING": "Hello"}
        yield f"{name}-web", service("spaceport/hello:1", environment, name, "web", 32, 0.25, 32, 1)
        return
    password = secrets.token_hex(24)
    data = [(f"{name}-data", "/var/lib/postgresql/data")]
    environment = {"POSTGRES_PASSWORD": password}
    yield f"{name}-db", service(
        "spaceport/postgres:15", environment, name, "db", 256, 1, 128, 16, data)
    environment = {"SPACE_TITLE": name, "PGHOST": "db", "PGUSER": "postgres",
                   "PGDATABASE": "postgres", "PGPASSWORD": password}
    yield f"{name}-web", service("spaceport/notes:1", environment, name, "web", 64, 0.5, 128, 4)


def by_api(app):
    docker, name = Docker(), f"bench-{secrets.token_hex(4)}"
    bodies = dict(containers(app, name))
    start = time.monotonic()
    try:
        ipam = {"Config": [{"Subnet": SUBNET}]}
        docker.call("POST", "/networks/create", {"Name": name, "IPAM": ipam})
        if app == "notes":
            docker.call("POST", "/volumes/create", {"Name": f"{name}-data"})
        for container, body in bodies.items():
            docker.call("POST", f"/containers/create?name={container}", body)
        for container in bodies:
            docker.call("POST", f"/containers/{container}/start")
        seen = docker.call("GET", f"/containers/{name}-web/json")
        address = seen["NetworkSettings"]["Networks"][name]["IPAddress"]
        until(lambda: answers(f"http://{address}:8080", READY[app]))
        return time.monotonic() - start
    finally:
        for container in bodies:
            with contextlib.suppress(RuntimeError):
                docker.call("DELETE", f"/containers/{container}?force=true&v=true")
        docker.call("DELETE", f"/networks/{name}")
        if app == "notes":
            docker.call("DELETE", f"/volumes/{name}-data")


def by_compose(app):
    """The same template, as docker-compose reads it."""
    name = f"bench{secrets.token_hex(4)}"
    command = ["docker-compose", "--file", ROOT / f"apps/{app}/compose.yaml", "--project-name", name]
    environment = dict(os.environ, SPACE_NAME=name, SPACE_TITLE=name, SETTING_GREETING="Hello",
                       DB_PASSWORD=secrets.token_hex(24))
    quiet = {"env": environment, "stderr": subprocess.DEVNULL, "check": True}
    start = time.monotonic()
    try:
        subprocess.run([*command, "up", "-d"], **quiet)
        seen = Docker().call("GET", f"/containers/{name}_web_1/json")
        address = seen["NetworkSettings"]["Networks"][f"{name}_default"]["IPAddress"]
        until(lambda: answers(f"http://{address}:8080", READY[app]))
        return time.monotonic() - start
    finally:
        subprocess.run([*command, "down", "--volumes", "--timeout", "0"], **quiet)


def by_spaceport(spaceport, app):
    name = f"bench-{secrets.token_hex(4)}"
    start = time.monotonic()
    space = spaceport.create(app, name)
    until(lambda: spaceport.visit(name) == 200)
    took = time.monotonic() - start
    spaceport.wait_for(space, "running")
    spaceport.delete(space)
    return took


def main():
    need("docker", "docker-compose", "node", "npm")
    machine()
    with Spaceport() as spaceport:
        for app in READY:
            ways = {
                "Spaceport: POST to 200 through the gateway": lambda: by_spaceport(spaceport, app),
                "docker-compose 1.29: up -d to 200": lambda: by_compose(app),
                "bare Docker API calls to 200 (the floor)": lambda: by_api(app),
            }
            for way in ways.values():
                way()
            took = {name: [] for name in ways}
            for run in range(N_RUNS):
                say(f"{app} {run + 1}/{N_RUNS}")
                for name, way in ways.items():
                    took[name].append(way() * 1000)
            floor = statistics.median(list(took.values())[-1])
            rows = [
                [name, f"{statistics.median(it):.0f}", f"{p95(it):.0f}",
                 f"{statistics.median(it) / floor:.2f}"]
                for name, it in took.items()
            ]
            table([f"`{app}`, ms, n={N_RUNS}", "median", "p95", "median / floor"], rows)
