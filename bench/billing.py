"""A month of 1,000 spaces with all that goes wrong, and then every bill against what happened.

SPACEPORT_BILLING=<spaces>x<days>x<seed> runs another one.
"""

import subprocess

from common import ROOT, machine

TEST = "simulate::a_month_of_a_thousand_spaces"


def main():
    machine()
    command = ["cargo", "test", "--quiet", "--release", "--package", "records", "--test", "billing", TEST, "--"]
    command += ["--ignored", "--exact", "--nocapture"]
    subprocess.run(command, cwd=ROOT, check=True)
