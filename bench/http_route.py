"""`GET /v1/spaces/{id}` with a session: the embedded edge, and the same route in Hono.

One core for the server and the other one for the client, and the servers take turns. The edge also
looks into its key-value store whether the session was ended; the peers don't.
"""

import json
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from common import PEERS, Spaceport, machine, need, npm_ci, request, resident_mb, say, table

N_ROUNDS = 3
WRK = ["taskset", "-c", "1", "wrk", "-t1", "-c16", "--latency"]


def wrk(url, token, seconds):
    """Requests per second and the 99th percentile in ms."""
    command = [*WRK, f"-d{seconds}s", "-H", f"authorization: Bearer {token}", url]
    rate, _, tail = measured(command)
    return rate, tail


def measured(command):
    """What wrk says: requests per second, and the median and the 99th percentile in ms."""
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    scale = {"us": 0.001, "ms": 1, "s": 1000}
    shares = dict(re.findall(r"(\d+)%\s+([\d.]+(?:us|ms|s))\b", said))
    middle, tail = (re.match(r"([\d.]+)(\w+)", shares[it]).groups() for it in ("50", "99"))
    return rate, float(middle[0]) * scale[middle[1]], float(tail[0]) * scale[tail[1]]


class Peer:
    def __init__(self, runtime, space_file, database):
        command = ["taskset", "-c", "0", runtime, "serve.mjs", space_file, database]
        self.process = subprocess.Popen(command, cwd=PEERS, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.url, self.token, self.pid = ready["url"], ready["token"], self.process.pid

    def end(self):
        self.process.kill()
        self.process.wait()


def main():
    need("docker", "node", "npm", "taskset", "wrk")
    npm_ci(PEERS)
    machine()
    bun = str(PEERS / "node_modules/.bin/bun")
    with tempfile.TemporaryDirectory() as folder, Spaceport(["taskset", "-c", "0"]) as spaceport:
        space = spaceport.wait_for(spaceport.create("hello", "bench-http"), "running")
        space_file = Path(folder, "space.json")
        space_file.write_text(json.dumps(space))
        path = f"/v1/spaces/{space['id']}"
        servers = {
            "embedded edge (WASM), SQLite": (spaceport.edge, spaceport.token, spaceport.pid),
        }
        peers = {
            "Hono on Node, SQLite": Peer("node", space_file, f"{folder}/node.db"),
            "Hono on Node, no database": Peer("node", space_file, "memory"),
            "Hono on Bun, SQLite": Peer(bun, space_file, f"{folder}/bun.db"),
            "Hono on Bun, no database": Peer(bun, space_file, "memory"),
        }
        servers |= {name: (it.url, it.token, it.pid) for name, it in peers.items()}
        try:
            measure(servers, path, space)
        finally:
            for peer in peers.values():
                peer.end()
        spaceport.delete(space)


def measure(servers, path, space):
    figures = {name: [] for name in servers}
    for name, (url, token, _) in servers.items():
        answer = json.loads(request(url, "GET", path, {"authorization": f"Bearer {token}"})[2])
        assert answer == space, f"{name} answers {answer}"
        wrk(url + path, token, 3)
    for round_ in range(N_ROUNDS):
        for name, (url, token, _) in servers.items():
            say(f"{name} {round_ + 1}/{N_ROUNDS}")
            figures[name].append(wrk(url + path, token, 10))
    rows = []
    for name, (_, _, pid) in servers.items():
        rates, tails = zip(*figures[name])
        rows.append([name, f"{statistics.median(rates):,.0f}", f"{min(rates):,.0f}-{max(rates):,.0f}",
                     f"{statistics.median(tails):.1f}", f"{resident_mb(pid)[0]:.0f}"])
    table(["server on one core", "requests/s", "range", "p99 ms", "RSS MB"], rows)
