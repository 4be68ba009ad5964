"""The embedded edge alone: routes of every kind on one core, and how long it takes to start."""

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import common
from common import SPACEPORT, Spaceport, machine, need, table
from http_route import wrk

N_STARTS = 5


def main():
    need("docker", "node", "npm", "taskset", "wrk")
    machine()
    with Spaceport(["taskset", "-c", "0"]) as spaceport:
        space = spaceport.wait_for(spaceport.create("hello", "bench-edge"), "running")
        paths = {
            "`GET /healthz` (no store)": "/healthz",
            "`GET /v1/auth/nonce` (cryptography)": "/v1/auth/nonce",
            "`GET /v1/names/{name}` (one row)": "/v1/names/bench-edge",
            "`GET /v1/auth/session` (key-value)": "/v1/auth/session",
            "`GET /v1/spaces` (through the gate, key-value, rows)": "/v1/spaces",
            "`GET /v1/spaces/{id}` (key-value, rows)": f"/v1/spaces/{space['id']}",
        }
        rows = []
        for name, path in paths.items():
            wrk(spaceport.edge + path, spaceport.token, 2)
            rate, tail = wrk(spaceport.edge + path, spaceport.token, 8)
            rows.append([name, f"{rate:,.0f}", f"{tail:.1f}"])
        spaceport.delete(space)
    table(["embedded edge on one core", "requests/s", "p99 ms"], rows)
    starts()


def starts():
    with tempfile.TemporaryDirectory() as folder:
        command = [SPACEPORT, "edge", "--json", "--edge", "127.0.0.1:0", "--state", f"{folder}/state"]
        took = []
        for _ in range(N_STARTS + 1):
            start = time.monotonic()
            with open(Path(folder, "log"), "w") as log:
                edge = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
            edge.stdout.readline()
            took.append((time.monotonic() - start) * 1000)
            edge.terminate()
            edge.wait(10)
    common.table(
        ["`spaceport edge`, ms until it serves", ""],
        [["first start (compiles the components)", f"{took[0]:.0f}"],
         [f"later ones, median of {N_STARTS}", f"{statistics.median(took[1:]):.0f}"]],
    )
