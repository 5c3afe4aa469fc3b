"""The sentence that ends `make alarms`, and its exit status."""

import json
from pathlib import Path

import pytest

from local import alarms
from local.alarms import AlarmState, summary
from local.processes import free_port


def state(name: str, value: str) -> AlarmState:
    return AlarmState(name=name, state=value, evaluated_by="engine", description="")


def test_the_summary_names_the_active_alarms() -> None:
    states = [state("A", "ALARM"), state("B", "OK"), state("C", "INSUFFICIENT_DATA")]
    assert summary(states) == "1 of the 3 alarms is active: A."
    assert summary([*states, state("D", "ALARM")]) == "2 of the 4 alarms are active: A, D."
    assert summary(states[1:]) == "None of the 2 alarms is active."


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, states: list[AlarmState] | None) -> int:
    file = tmp_path / "stage.json"
    file.write_text(json.dumps({"endpointUrl": f"http://127.0.0.1:{free_port()}", "region": "eu-west-1"}))
    stack = type("Stack", (), {"template": {"Resources": {}}})
    monkeypatch.setattr(alarms, "ENVIRONMENT_FILE", file)
    monkeypatch.setattr(alarms, "read_stacks", lambda _stage: {"Dev-Service": stack})
    if states is not None:
        monkeypatch.setattr(alarms, "alarm_states", lambda _engine, _template: states)
    return alarms.main()


def test_an_active_alarm_is_an_answer_and_not_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, [state("A", "ALARM")]) == 0
    assert "1 of the 1 alarms is active: A." in capsys.readouterr().out


def test_an_engine_that_does_not_answer_is_an_error_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, None) == 1
    assert "does not answer" in capsys.readouterr().err


def test_without_an_environment_the_sentence_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(alarms, "ENVIRONMENT_FILE", tmp_path / "missing.json")
    assert alarms.main() == 1
    assert "make run" in capsys.readouterr().err
