"""What metering costs: 1,000 simulated spaces, by the worker's own code.

Their cgroups and processes are files in a folder, their Docker Engine and their edge are in the same process and
count with it. Spaces are not asked for their posts.
"""

import subprocess

from common import ROOT, machine

TEST = "meter::bench::what_metering_costs"


def main():
    machine()
    command = ["cargo", "test", "--quiet", "--release", "--package", "worker", "--lib", TEST, "--"]
    command += ["--ignored", "--exact", "--nocapture"]
    subprocess.run(command, cwd=ROOT, check=True)
