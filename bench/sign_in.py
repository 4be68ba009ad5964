"""Sign-in with Ethereum: the embedded edge, and the same in Hono with the usual two libraries.

Each request is a whole sign-in that no other one is: a message with a nonce of its own, signed before
the measuring begins. One core for the server and the other one for the client, and the servers take
turns. All read the message, check domain, nonce and times, recover the signer, use the nonce up and
answer a session. The edge keeps used nonces in its store, the peers keep them in memory.
"""

import http.client
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from common import (KEY, PEERS, ROOT, Edge, cargo_build, machine, need, npm_ci, request, resident_mb,
                    say, table)
from http_route import WRK, measured

N_ROUNDS = 3
ROUND_S = 8
WARM_UP_S = 5
# More than any of the servers does.
RATE_MAX = 6_000
N_STARTS = 5
# The first is ours.
OURS = "embedded edge (WASM), store on disk"
PATH = "/v1/auth/verify"


class Peer:
    def __init__(self, runtime, *arguments, core=0):
        self.command = ["taskset", "-c", str(core), runtime, *arguments]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, cwd=PEERS, stdout=subprocess.PIPE, text=True)
        self.url, self.pid = json.loads(self.process.stdout.readline())["url"], self.process.pid

    def stop(self):
        self.process.kill()
        self.process.wait()

    end = stop


def main():
    need("cargo", "node", "npm", "taskset", "wrk")
    npm_ci(PEERS)
    signer = cargo_build(ROOT / "bench/signatures") / "sign"
    machine()
    bun = str(PEERS / "node_modules/.bin/bun")
    servers = {}
    try:
        servers[OURS] = Edge()
        servers["Hono on Bun, viem"] = Peer(bun, "sign-in.mjs", "viem")
        servers["Hono on Bun, siwe"] = Peer(bun, "sign-in.mjs", "siwe")
        servers["Hono on Node, viem"] = Peer("node", "sign-in.mjs", "viem")
        servers["Hono on Node, siwe"] = Peer("node", "sign-in.mjs", "siwe")
        measure(servers, signer)
    finally:
        for server in servers.values():
            server.end()


def measure(servers, signer):
    colds = {name: [] for name in servers}
    for _ in range(N_STARTS):
        for name, server in servers.items():
            colds[name].append(first_ms(server, signer))
    expected = {}
    for name, server in servers.items():
        say(f"{name}: warming up")
        expected[name] = verify(server, signer, WARM_UP_S, RATE_MAX)[0]
    figures = {name: [] for name in servers}
    for round_ in range(N_ROUNDS):
        for name, server in servers.items():
            say(f"{name} {round_ + 1}/{N_ROUNDS}")
            # Twice as much, for a server that still gets faster.
            figures[name].append(verify(server, signer, ROUND_S, 2 * expected[name]))
    medians = {}
    rows = []
    for name, server in servers.items():
        rates, middles, tails = zip(*figures[name])
        medians[name] = statistics.median(rates)
        rows.append([name, f"{medians[name]:,.0f}", f"{min(rates):,.0f}-{max(rates):,.0f}",
                     f"{statistics.median(middles):.1f}", f"{statistics.median(tails):.1f}",
                     f"{statistics.median(colds[name]):.0f}", f"{resident_mb(server.pid)[0]:.0f}"])
    table(["server on one core", "sign-ins/s", "range", "p50 ms", "p99 ms", "first one ms", "RSS MB"],
          rows)
    goals = []
    for runtime, times in {"Bun": 3, "Node": 8}.items():
        best = max(rate for name, rate in medians.items() if runtime in name)
        ratio = medians[OURS] / best
        verdict = "met" if times <= ratio else "missed"
        goals.append([f"{times} times the best of {runtime}", f"{times * best:,.0f}", f"{ratio:.2f}",
                      verdict])
    table(["goal", "sign-ins/s", "ours / best", ""], goals)


def bodies(url, signer, n_bodies, key=KEY):
    """Signed messages with nonces of the server at `url`, a JSON object a line."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port)
    nonces = []
    for _ in range(n_bodies):
        connection.request("GET", "/v1/auth/nonce")
        nonces.append(json.loads(connection.getresponse().read())["nonce"])
    connection.close()
    command = [signer, url, key]
    return subprocess.run(
        command, input="\n".join(nonces), capture_output=True, text=True, check=True).stdout


def first_ms(server, signer):
    """How long the first sign-in after a start takes. The nonce was asked for before."""
    server.stop()
    server.start()
    body = json.loads(bodies(server.url, signer, 1))
    start = time.monotonic()
    status, _, answer = request(server.url, "POST", PATH, body=body)
    took = time.monotonic() - start
    if status != 200:
        raise RuntimeError(f"{status} {answer}")
    return took * 1000


def verify(server, signer, seconds, rate):
    """Sign-ins a second, and the median and the 99th percentile in ms."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write(bodies(server.url, signer, int(seconds * rate)))
        file.flush()
        script = Path(__file__).with_name("bodies.lua")
        command = [*WRK, f"-d{seconds}s", "-s", script, server.url + PATH, "--", file.name]
        return measured(command)
