"""Many spaces on one host: how long the first and the last take, and what runs out.

Beside Docker's own choice of networks, which is what docker-compose uses.
"""

import contextlib
import statistics
import subprocess
import time
from pathlib import Path

from common import Spaceport, machine, need, resident_mb, say, table, until

N_SPACES = 150
# How many at the beginning and at the end are compared.
N_COMPARED = 10


def main():
    need("docker", "node", "npm")
    machine()
    networks_of_docker()
    with Spaceport() as spaceport:
        before = figures(spaceport)
        begin = time.monotonic()
        took = [create(spaceport, number) for number in range(N_SPACES)]
        in_all = time.monotonic() - begin
        after = figures(spaceport)
        time.sleep(60)
        later = figures(spaceport)
        begin = time.monotonic()
        delete_all(spaceport)
        deleted = time.monotonic() - begin
    first, last = took[:N_COMPARED], took[-N_COMPARED:]
    table([f"POST to 200 through the gateway, `hello`, n={N_SPACES}", "ms"], [
        ["the 1st", f"{took[0]:.0f}"],
        [f"the {N_SPACES}th", f"{took[-1]:.0f}"],
        [f"median of the first {N_COMPARED}", f"{statistics.median(first):.0f}"],
        [f"median of the last {N_COMPARED}", f"{statistics.median(last):.0f}"],
        ["the slowest", f"{max(took):.0f}"],
        [f"all {N_SPACES}, one after the other, s", f"{in_all:.0f}"],
        [f"deleting all {N_SPACES} at once, s", f"{deleted:.0f}"],
    ])
    table(["resident MB", "`spaceport up`", "dockerd", "containerd and shims"], [
        ["no space", *before],
        [f"{N_SPACES} spaces, just made", *after],
        ["a minute later", *later],
    ])


def create(spaceport, number):
    if number % 10 == 0:
        say(f"space {number + 1}/{N_SPACES}")
    name = f"bench-{number}"
    start = time.monotonic()
    spaceport.create("hello", name)
    until(lambda: spaceport.visit(name) == 200)
    return (time.monotonic() - start) * 1000


def delete_all(spaceport):
    spaces = spaceport.call("GET", "/v1/spaces?limit=200")[1]["items"]
    for space in spaces:
        spaceport.call("DELETE", f"/v1/spaces/{space['id']}")
    for space in spaces:
        spaceport.wait_for(space, "deleted")


def figures(spaceport):
    dockerd = sum(resident_mb(it)[0] for it in pids("dockerd"))
    shims = sum(resident_mb(it)[0] for it in pids("containerd") + pids("containerd-shim"))
    return [f"{it:.0f}" for it in (resident_mb(spaceport.pid)[0], dockerd, shims)]


def pids(program):
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        # What has ended by now has no memory.
        with contextlib.suppress(OSError):
            # The kernel keeps 15 bytes of a name.
            if path.read_text().strip() == program[:15]:
                found.append(int(path.parent.name))
    return found


def networks_of_docker():
    """How many networks there can be whose addresses Docker chooses."""
    say("networks of Docker's choice")
    listed = subprocess.run(["docker", "network", "ls", "-q"], capture_output=True, text=True)
    n_before, names, error = len(listed.stdout.split()), [], ""
    while not error:
        name = f"bench-network-{len(names)}"
        made = subprocess.run(["docker", "network", "create", name], capture_output=True, text=True)
        if made.returncode == 0:
            names.append(name)
        else:
            error = made.stderr.strip().splitlines()[-1]
    subprocess.run(["docker", "network", "rm", *names], stdout=subprocess.DEVNULL, check=True)
    table(["networks whose addresses Docker chooses, as with docker-compose", ""], [
        ["there before", n_before], ["made before it refused", len(names)], ["it said", error]])
