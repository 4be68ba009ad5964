"""Tracing a signature to its address: in a component, and with two libraries on the bare machine.

A message of 200 bytes is hashed (EIP-191), the signer recovered and compared. The component does it
n times in one request; from the difference between one and many comes what each one takes, without
the request. All use one core and take turns.
"""

import http.client
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from common import ROOT, Edge, cargo_build, machine, need, table

N_ROUNDS = 9
MANY = 500
# Of each kind in a round; the shortest counts, which others on the machine disturbed least.
N_REQUESTS = 5
# The first account that anvil prints, and its signature of the message.
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SIGNATURE = ("0x0ca5671e520cb183aaed0d0d391c51fb66b2df626d043ae9ead38c5975a90513"
             "35fdcb041633bff7ce356a9d0370d3a796bef30a32eb4800c8d5f3a279f6986b1c")
MESSAGE = "Spaceport" * 22 + ".."
TEXT = f"{ADDRESS}\n{SIGNATURE}\n{MESSAGE}"
PROBE = ROOT / "dist/probes/probe-recover.wasm"
MANIFEST = f"""
spin_manifest_version = 2
[application]
name = "recover"
[[trigger.http]]
route = "/..."
component = "recover"
[component.recover]
source = "{PROBE}"
"""


def main():
    need("cargo", "taskset")
    if not PROBE.exists():
        raise SystemExit("build first: scripts/build --probes")
    programs = cargo_build(ROOT / "bench/signatures")
    machine()
    took = {"component (k256, WASM)": [], "k256, native": [], "libsecp256k1 (C), native": []}
    component, k256, libsecp256k1 = took.values()
    with tempfile.TemporaryDirectory() as home:
        Path(home, "spin.toml").write_text(MANIFEST)
        with Edge(home=home) as edge:
            for _ in range(N_ROUNDS):
                component.append((by_component(edge, MANY) - by_component(edge, 1)) / (MANY - 1))
                k256.append(by_machine(programs, "k256"))
                libsecp256k1.append(by_machine(programs, "libsecp256k1"))
    floor = statistics.median(libsecp256k1)
    rows = [
        [name, f"{statistics.median(it):.0f}", f"{min(it):.0f}-{max(it):.0f}",
         f"{statistics.median(it) / floor:.1f}"]
        for name, it in took.items()
    ]
    table(["hash, recover, compare", "µs each", "range", "/ libsecp256k1"], rows)


def by_component(edge, times):
    """Microseconds of one request that does it this many times: the shortest of some."""
    where = urlsplit(edge.url)
    connection = http.client.HTTPConnection(where.hostname, where.port)
    took = []
    for _ in range(N_REQUESTS):
        start = time.monotonic()
        connection.request("POST", f"/{times}", TEXT)
        response = connection.getresponse()
        response.read()
        took.append((time.monotonic() - start) * 1e6)
        if response.status != 200:
            raise RuntimeError(f"the component answers {response.status}")
    connection.close()
    return min(took)


def by_machine(programs, library):
    command = ["taskset", "-c", "0", programs / "recover", library, str(MANY)]
    took = [
        subprocess.run(command, input=TEXT, capture_output=True, text=True, check=True).stdout
        for _ in range(N_REQUESTS)
    ]
    return min(float(it) for it in took)
