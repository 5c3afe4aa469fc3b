"""Child processes end with all that they have started; folders that are still written to are deleted."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from local.folders import remove
from local.paths import ROOT
from local.processes import Processes

PATIENT_SECONDS = 60
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.returncode == 0 and not done.stdout.strip().startswith("Z")


def until(file: Path, lines: int) -> list[str]:
    deadline = time.monotonic() + PATIENT_SECONDS
    while not file.exists() or len(file.read_text().split()) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return file.read_text().split()


def gone(*pids: int) -> bool:
    deadline = time.monotonic() + PATIENT_SECONDS
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


def test_stopping_ends_a_child_that_ignores_requests_and_the_child_of_the_child(tmp_path: Path) -> None:
    processes, log = Processes(), tmp_path / "log"
    child = processes.start([sys.executable, "-c", STUBBORN], {}, str(log))
    (grandchild,) = map(int, until(log, 1))
    assert processes.pids() == [child.pid]
    processes.stop()
    assert gone(child.pid, grandchild)
    assert processes.pids() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_guard_ends_the_group_its_folder_and_itself_when_its_launcher_is_killed(
    number: signal.Signals, tmp_path: Path
) -> None:
    """The signal goes to the launcher's whole group, as `timeout` sends it."""
    folder, log, guard_file = tmp_path / "temporary", tmp_path / "log", tmp_path / "guard"
    folder.mkdir()
    (folder / "file").write_text("x")
    launcher = f"""
import os, subprocess, sys, time
guard = [sys.executable, "-m", "local.process_guard", str(os.getpid()), {str(folder)!r}]
guard += [sys.executable, "-c", {STUBBORN!r}]
running = subprocess.Popen(guard, stdout=open({str(log)!r}, "w"), start_new_session=True)
open({str(guard_file)!r}, "w").write(str(running.pid))
while os.getppid() == {os.getpid()}:
    time.sleep(0.2)
"""
    process = subprocess.Popen([sys.executable, "-c", launcher], cwd=ROOT, start_new_session=True)
    (grandchild,), (guard,) = map(int, until(log, 1)), map(int, until(guard_file, 1))
    os.killpg(process.pid, number)
    process.wait()
    assert gone(guard, grandchild)
    deadline = time.monotonic() + PATIENT_SECONDS
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()


def test_a_folder_that_is_written_to_for_a_while_is_deleted_in_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "busy"

    def write() -> None:
        for number in range(20):
            (folder / str(number)).mkdir(parents=True, exist_ok=True)
            time.sleep(0.005)

    folder.mkdir()
    writer = threading.Thread(target=write)
    writer.start()
    remove(folder)
    writer.join()
    assert remove(folder)
    assert not folder.exists()
