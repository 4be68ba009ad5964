"""The gate: what a verdict on a wallet takes, read from a chain and out of the cache.

One rule (ERC-20) on a local chain, the client and the chain on the other core. Each wallet signs in,
is judged once with nothing in the cache, and then some times out of it. One request at a time, with
the time that the client itself takes.
"""

import http.client
import json
import secrets
import statistics
import subprocess
import time
from urllib.parse import urlsplit

from common import CLIENTS, ROOT, Spaceport, cargo_build, machine, need, npm_ci, request, say, table
from sign_in import PATH, bodies

N_WALLETS = 200
N_CACHED = 10
CHAIN_ID = 31337
SPACE = {"app": "hello", "name": "bench-gate"}


class Chain:
    """A chain with one token on it, which nobody holds."""

    def __init__(self):
        command = ["taskset", "-c", "1", "node", "chain.mjs", str(CHAIN_ID)]
        pipe = subprocess.PIPE
        self.node = subprocess.Popen(command, cwd=CLIENTS, stdin=pipe, stdout=pipe, text=True)
        self.url = json.loads(self.node.stdout.readline())["url"]
        deploy = {"act": "deploy", "contract": "Erc20", "args": ["18"]}
        print(json.dumps(deploy), file=self.node.stdin, flush=True)
        self.token = json.loads(self.node.stdout.readline())["address"]

    def end(self):
        self.node.stdin.close()
        self.node.wait(10)

    def variables(self):
        rule = {"kind": "erc20", "chain_id": CHAIN_ID, "contract": self.token, "required": "100",
                "decimals": 18}
        return {"crdt_gate_enabled": "true", "gate_policy": json.dumps({"rules": [rule]}),
                "rpc_urls": json.dumps({str(CHAIN_ID): [self.url]})}


class Client:
    """Requests over one connection, each with how many ms it took."""

    def __init__(self, url):
        where = urlsplit(url)
        self.connection = http.client.HTTPConnection(where.hostname, where.port)

    def ask(self, method, path, token=None, body=None):
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        text = None if body is None else json.dumps(body)
        start = time.monotonic()
        self.connection.request(method, path, text, headers)
        response = self.connection.getresponse()
        answer = response.read()
        took = (time.monotonic() - start) * 1000
        return took, response.status, json.loads(answer)


def main():
    need("cargo", "docker", "node", "npm", "taskset")
    npm_ci(CLIENTS)
    signer = cargo_build(ROOT / "bench/signatures") / "sign"
    machine()
    chain = Chain()
    try:
        with Spaceport(["taskset", "-c", "0"], chain.variables()) as spaceport:
            rows = measure(spaceport, chain, signer)
    finally:
        chain.end()
    table(["one request at a time", "p50 ms", "p99 ms", "n"], rows)


def measure(spaceport, chain, signer):
    took = {}
    ways = {"GET /v1/gate": (200, None), "POST /v1/spaces": (403, SPACE)}
    for way, (status, body) in ways.items():
        say(way)
        for _ in range(N_WALLETS):
            token = sign_in(spaceport, signer)
            client = Client(spaceport.edge)
            for _ in range(1 + N_CACHED):
                ms, got, answer = client.ask(*way.split(), token, body)
                if got != status:
                    raise RuntimeError(f"{way}: {got} {answer}")
                source = "from the cache" if answer["cached"] else "from the chain"
                took.setdefault(f"`{way}`, {got}, {source}", []).append(ms)
    took["the chain alone: `eth_call`"] = alone(chain)
    return [[name, f"{statistics.median(it):.2f}", f"{p99(it):.2f}", len(it)]
            for name, it in took.items()]


def sign_in(spaceport, signer):
    """The session of a wallet that nobody has seen before."""
    body = json.loads(bodies(spaceport.edge, signer, 1, secrets.token_hex(32)))
    return json.loads(request(spaceport.edge, "POST", PATH, body=body)[2])["token"]


def alone(chain):
    client = Client(chain.url)
    # balanceOf(address)
    data = f"0x70a08231{chain.token[2:]:0>64}"
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_call",
            "params": [{"to": chain.token, "data": data}, "latest"]}
    return [client.ask("POST", "/", body=call)[0] for _ in range(N_WALLETS)]


def p99(values):
    return statistics.quantiles(values, n=100, method="inclusive")[98]
