"""How the engine is started: its function processes find the bytecode that their packages hold."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local import engine


class RecordedProcesses:
    """Starts nothing; `environment` is what the engine would get in addition to ours."""

    def __init__(self) -> None:
        self.environment: Mapping[str, str] = {}

    def start(self, _command: Sequence[str], environment: Mapping[str, str], _log: str) -> None:
        self.environment = environment
        raise RuntimeError("nothing is started here")


def test_no_function_process_compiles_what_its_packages_hold_as_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine forbids to write bytecode beside unpacked code: a folder for it elsewhere would stay empty."""
    monkeypatch.setattr(engine, "STATE", tmp_path)
    processes = RecordedProcesses()
    with pytest.raises(RuntimeError):
        engine.start_engine(processes, region="eu-west-1", temporary=tmp_path, parent=1)  # type: ignore[arg-type]
    assert processes.environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert processes.environment["PYTHONPYCACHEPREFIX"] == ""
