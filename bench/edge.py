"""The embedded edge alone: routes of every kind on one core, and how long it takes to start."""

import statistics
import time

import common
from common import Spaceport, machine, need, table
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
    took = []
    start = time.monotonic()
    with common.Edge() as edge:
        took.append(time.monotonic() - start)
        for _ in range(N_STARTS):
            edge.stop()
            start = time.monotonic()
            edge.start()
            took.append(time.monotonic() - start)
    took = [it * 1000 for it in took]
    common.table(
        ["`spaceport edge`, ms until it serves", ""],
        [["first start (compiles the components)", f"{took[0]:.0f}"],
         [f"later ones, median of {N_STARTS}", f"{statistics.median(took[1:]):.0f}"]],
    )
