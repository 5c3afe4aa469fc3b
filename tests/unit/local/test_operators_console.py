"""The console of `make run`: its address is printed, and it never outlives the environment."""

import subprocess
import sys
from pathlib import Path

import pytest

from local import operators_console
from local.operators_console import running_console
from tests.unit.local.test_processes import alive, gone

ADDRESS = "http://127.0.0.1:4711/enter/abc"


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators_console, "CONSOLE_LOG", tmp_path / "console.log")


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_the_address_is_what_the_console_prints_and_the_process_ends_with_the_environment() -> None:
    text = f"import os, time; print('The console.', os.getpid()); print({ADDRESS!r}, flush=True); time.sleep(600)"
    with running_console(program(text)) as address:
        assert address == ADDRESS
        process_id = int(operators_console.CONSOLE_LOG.read_text().split()[2])
        assert alive(process_id)
    assert gone(process_id)


def test_a_console_that_does_not_start_stops_nothing() -> None:
    with running_console(program("raise SystemExit('no engine')")) as address:
        assert address is None


def test_the_command_is_the_one_of_the_documents() -> None:
    done = subprocess.run([*operators_console.CONSOLE, "--help"], capture_output=True, text=True, check=True)
    assert "works once" in done.stdout
