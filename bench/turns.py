"""How the worker's turns grow: with 200 spaces, what one change costs."""

import subprocess

from common import ROOT, machine

TEST = "work_grows_with_what_changes_and_not_with_what_exists"


def main():
    machine()
    command = ["cargo", "test", "--quiet", "--package", "worker", "--lib", TEST, "--", "--nocapture"]
    subprocess.run(command, cwd=ROOT, check=True)
