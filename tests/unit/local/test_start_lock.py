"""Two starts of one checkout at the same moment: the second is refused, and a killed one blocks nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

from local import start_lock as module
from local.errors import LocalEnvironmentError
from local.paths import ROOT
from local.start_lock import start_lock


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "state" / "start.lock"
    monkeypatch.setattr(module, "START_LOCK", path)
    return path


def test_a_second_start_is_refused_until_the_first_one_runs() -> None:
    with start_lock(), pytest.raises(LocalEnvironmentError, match="is starting; wait"), start_lock():
        pytest.fail("two starts at once")
    with start_lock():
        pass


def test_a_start_that_was_killed_blocks_nobody(lock: Path) -> None:
    script = (
        "import pathlib, sys, time\nfrom local import start_lock as module\n"
        f"module.START_LOCK = pathlib.Path({str(lock)!r})\n"
        "with module.start_lock():\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(LocalEnvironmentError), start_lock():
        pytest.fail("two starts at once")
    other.kill()
    other.wait()
    other.stdout.close()
    with start_lock():
        pass
