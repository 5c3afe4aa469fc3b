"""A command ends by Ctrl-C and by SIGTERM, whatever the program that started it has left behind."""

import signal
import subprocess
import sys

import pytest

from local.paths import ROOT

PATIENT_SECONDS = 60
COMMAND = """
from local.signals import interrupt_on_signals, wait_until_interrupted
try:
    interrupt_on_signals()
    print("ready", flush=True)
    wait_until_interrupted()
except KeyboardInterrupt:
    print("ended", flush=True)
"""
"""The signal may come as soon as `ready` is read: before the wait."""
SIMULATOR = (
    "import sys; sys.argv[1:] = ['--provider', 'mock', '--port', '0']; from sandbox.__main__ import main; main()"
)
LEAVES = {
    "nothing": "",
    "ignored": "for number in numbers: signal.signal(number, signal.SIG_IGN)",
    "blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, numbers)",
}
LAUNCHER = """
import os, signal, sys
numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
{leaves}
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
TO_ANOTHER_THREAD = """
import signal, threading, time
from local.signals import interrupt_on_signals, wait_until_interrupted
interrupt_on_signals()
other = threading.Thread(target=time.sleep, args=(600,), daemon=True)
other.start()
threading.Timer(0.5, signal.pthread_kill, (other.ident, signal.SIGINT)).start()
try:
    wait_until_interrupted()
except KeyboardInterrupt:
    print("ended", flush=True)
"""


def ended_by(number: signal.Signals, left: str, program: str) -> subprocess.Popen[str]:
    launcher = LAUNCHER.format(leaves=LEAVES[left])
    process = subprocess.Popen(
        [sys.executable, "-c", launcher, program], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.send_signal(number)
            process.wait(PATIENT_SECONDS)
        finally:
            process.kill()
    return process


@pytest.mark.parametrize("left", LEAVES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_command_ends_by_each_signal_whatever_its_launcher_has_left(number: signal.Signals, left: str) -> None:
    assert ended_by(number, left, COMMAND).returncode == 0


@pytest.mark.parametrize("left", LEAVES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_so_does_a_simulator(number: signal.Signals, left: str) -> None:
    assert ended_by(number, left, SIMULATOR).returncode == 0


def test_a_signal_that_another_thread_receives_ends_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TO_ANOTHER_THREAD],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENT_SECONDS,
    )
    assert done.stdout == "ended\n"
