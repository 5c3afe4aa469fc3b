"""The set-up says what to do where it cannot work."""

import sys
from pathlib import Path

import pytest

from local import setup


def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "file" / ".local"
    state.parent.write_text("no folder: nobody can write into it, not even root")
    monkeypatch.setattr(sys, "argv", ["setup.py"])
    monkeypatch.setattr(setup, "STATE", state)
    assert setup.main() == 1
    said = capsys.readouterr().err
    assert str(state) in said
    assert "a folder that you may write to" in said
