"""Resident memory of `spaceport up`: edge, worker and gateway in one process."""

import time

from common import Spaceport, machine, need, resident_mb, say, table

N_SPACES = 20


def main():
    need("docker", "node", "npm")
    machine()
    with Spaceport() as spaceport:
        time.sleep(5)
        rows = [["idle, first start (compiled the components)", *figures(spaceport)]]
        restart(spaceport)
        rows.append(["idle, later start", *figures(spaceport)])
        spaces = []
        for number in range(N_SPACES):
            say(f"space {number + 1}/{N_SPACES}")
            spaces.append(spaceport.create("hello", f"bench-{number}"))
        for number, space in enumerate(spaces):
            spaceport.wait_for(space, "running")
            assert spaceport.visit(f"bench-{number}") == 200
        rows.append([f"{N_SPACES} spaces, just made", *figures(spaceport)])
        time.sleep(30)
        rows.append([f"{N_SPACES} spaces, half a minute later", *figures(spaceport)])
        restart(spaceport)
        rows.append([f"{N_SPACES} spaces, later start", *figures(spaceport)])
        for space in spaces:
            spaceport.call("DELETE", f"/v1/spaces/{space['id']}")
        for space in spaces:
            spaceport.wait_for(space, "deleted")
        rows.append(["all deleted", *figures(spaceport)])
    table(["`spaceport up`", "RSS MB", "of it anonymous"], rows)


def restart(spaceport):
    spaceport.stop()
    spaceport.start()
    time.sleep(5)


def figures(spaceport):
    return [f"{it:.0f}" for it in resident_mb(spaceport.pid)]
