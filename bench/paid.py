"""Requests that are paid with x402: the till in the embedded edge, and Hono with x402's middleware.

Each request brings a payment of its own, signed before the measuring begins, and is answered when it is
settled. One core for the server; the other one for the client and for a facilitator that finds everything
good at once. The servers take turns. The till checks the signature itself, asks the facilitator once and
keeps the payment, the books and the answer on disk. The middleware asks the facilitator twice, checks
no signature and keeps nothing.
"""

import base64
import statistics
import subprocess
import tempfile
from pathlib import Path

from common import (KEY, PEERS, ROOT, Edge, cargo_build, machine, need, npm_ci, request, resident_mb, say,
                    table)
from http_route import WRK, measured
from sign_in import Peer

N_ROUNDS = 3
ROUND_S = 8
WARM_UP_S = 5
# More than any of the servers does.
RATE_MAX = 8_000
# The first is ours.
OURS = "embedded edge (WASM), payments on disk"
PATH = "/paid"
COMPONENTS = [ROOT / "dist/x402.wasm", ROOT / "dist/probes/probe-paid.wasm"]
# As bench/peers/paid.mjs has it.
PAY_TO = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


def manifest(facilitator):
    till, handler = COMPONENTS
    return f"""
spin_manifest_version = 2
[application]
name = "paid"
[[trigger.http]]
route = "/..."
component = "handler"
dependencies.middleware = [{{ component = "x402", inherit_configuration = true }}]
[component.x402]
source = "{till}"
[component.handler]
source = "{handler}"
key_value_stores = ["default"]
sqlite_databases = ["default"]
allowed_outbound_hosts = ["{facilitator}"]
[component.handler.variables]
public_url = "http://127.0.0.1:3000"
session_key = "{'k' * 32}"
rpc_urls = "{{}}"
x402_pay_to = "{PAY_TO}"
x402_networks = "eip155:84532"
x402_facilitator_url = "{facilitator}"
"""


def main():
    need("cargo", "node", "npm", "taskset", "wrk")
    if not all(it.exists() for it in COMPONENTS):
        raise SystemExit("build first: scripts/build --probes")
    npm_ci(PEERS)
    signer = cargo_build(ROOT / "bench/signatures") / "pay"
    machine()
    bun = str(PEERS / "node_modules/.bin/bun")
    facilitator = Peer(bun, "facilitator.mjs", core=1)
    servers = {}
    with tempfile.TemporaryDirectory() as home:
        Path(home, "spin.toml").write_text(manifest(facilitator.url))
        try:
            servers[OURS] = Edge(home)
            servers["Hono on Bun, @x402/hono"] = Peer(bun, "paid.mjs", facilitator.url)
            servers["Hono on Node, @x402/hono"] = Peer("node", "paid.mjs", facilitator.url)
            measure(servers, signer)
        finally:
            for server in [*servers.values(), facilitator]:
                server.end()


def measure(servers, signer):
    expected = {}
    for name, server in servers.items():
        say(f"{name}: warming up")
        expected[name] = pay(server, signer, WARM_UP_S, RATE_MAX)[0]
    alone = {name: pay(server, signer, WARM_UP_S, RATE_MAX, n_at_once=1)[1]
             for name, server in servers.items()}
    figures = {name: [] for name in servers}
    for round_ in range(N_ROUNDS):
        for name, server in servers.items():
            say(f"{name} {round_ + 1}/{N_ROUNDS}")
            # Twice as much, for a server that still gets faster.
            figures[name].append(pay(server, signer, ROUND_S, 2 * expected[name]))
    ours = statistics.median(rate for rate, _, _ in figures[OURS])
    rows = []
    for name, server in servers.items():
        rates, middles, tails = zip(*figures[name])
        rate = statistics.median(rates)
        rows.append([name, f"{rate:,.0f}", f"{min(rates):,.0f}-{max(rates):,.0f}",
                     f"{alone[name]:.2f}",
                     f"{statistics.median(middles):.1f}", f"{statistics.median(tails):.1f}",
                     f"{resident_mb(server.pid)[0]:.0f}", f"{ours / rate:.2f}"])
    table(["server on one core", "paid requests/s", "range", "one at a time, p50 ms", "p50 ms", "p99 ms", "RSS MB", "ours / it"],
          rows)


def pay(server, signer, seconds, rate, n_at_once=16):
    """Paid requests a second, and the median and the 99th percentile in ms."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(payments(server.url, signer, int(seconds * rate)))
        file.flush()
        script = Path(__file__).with_name("payments.lua")
        return measured([*WRK, f"-c{n_at_once}", f"-d{seconds}s", "-s", script, server.url + PATH, "--", file.name])


def payments(url, signer, n_payments):
    """Payments for what the server at `url` sells, each with a nonce of its own, one a line."""
    status, headers, body = request(url, "POST", PATH, body={})
    if status != 402:
        raise RuntimeError(f"{status} {body}")
    bill = base64.b64decode(headers["payment-required"])
    command = [signer, KEY, str(n_payments)]
    return subprocess.run(command, input=bill, capture_output=True, check=True).stdout.decode()
