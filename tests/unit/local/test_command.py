"""Every command that starts a local environment ends with the same exit statuses, whatever ended it."""

import subprocess
import sys

import pytest

from local.paths import ROOT

PROGRAM = """
import os, signal, sys
from local.command import exit_status_of
from local.errors import LocalEnvironmentError

def refused():
    raise LocalEnvironmentError("The port is taken.")

def interrupted():
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()

status = exit_status_of({body})
os.kill(os.getpid(), signal.SIGINT)
sys.exit(status)
"""
"""A signal comes once more after the command: nothing is left that it may interrupt."""


@pytest.mark.parametrize(
    ("body", "status", "said", "warned"),
    [
        ("lambda: 0", 0, "", ""),
        ("lambda: 1", 1, "", ""),
        ("refused", 1, "", "\npayflowx: The port is taken.\n"),
        ("interrupted", 130, "\nStopped.\n", ""),
        ("interrupted, interrupted=0", 0, "\nStopped.\n", ""),
    ],
)
def test_exit_statuses(body: str, status: int, said: str, warned: str) -> None:
    program = PROGRAM.replace("{body}", body)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, said, warned)
