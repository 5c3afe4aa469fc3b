"""Which rights are taken away, and in which pieces."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from bench import rights as examination
from bench.rights import UNREACHED, Examined, piece, reason, rights, verdict, what_misses
from tests.infra.rights import NEEDS


def test_every_right_that_code_needs_is_taken_away_once_over_all_pieces() -> None:
    everything = [str(right) for right in rights()]
    assert len(everything) == len(set(everything)) > 80
    for pieces in (1, 4, 7):
        found = [str(right) for number in range(1, pieces + 1) for right in piece(f"{number}/{pieces}")]
        assert sorted(found) == sorted(everything)


def test_none_that_aws_itself_uses_is() -> None:
    pages = {(need.action, need.resource) for need in NEEDS if need.page}
    kept = {(right.need.action, right.need.resource, right.function) for right in rights()}
    for need in NEEDS:
        if need.page:
            assert not {(need.action, need.resource, name) for name in need.functions.split()} & kept
    assert pages


@pytest.mark.parametrize("wrong", ["0/4", "5/4", "x", "1/0", "1"])
def test_a_piece_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="PIECE"):
        piece(wrong)


def test_an_exception_names_a_right_that_exists_and_a_reason() -> None:
    everything = {str(right) for right in rights()} | {right.function for right in rights()}
    assert set(UNREACHED) <= everything
    assert all(len(reason) > 20 for reason in UNREACHED.values())


def test_a_right_that_nothing_misses_is_a_finding_unless_it_is_an_exception() -> None:
    first, excepted = rights()[-1], next(right for right in rights() if str(right) in UNREACHED)
    assert reason(first) == ""
    assert verdict(first, ["it failed"]) == "needed"
    assert verdict(first, []) == "UNNEEDED"
    assert verdict(excepted, []) == "not reached"
    assert verdict(excepted, ["it failed"]) == "needed"


class Iam:
    def __init__(self) -> None:
        self.policies: dict[str, Any] = {}

    def put_role_policy(self, **request: str) -> None:
        self.policies[request["RoleName"]] = json.loads(request["PolicyDocument"])

    def delete_role_policy(self, **request: str) -> None:
        del self.policies[request["RoleName"]]


def test_a_denial_names_one_action_and_goes_again_whatever_happens() -> None:
    iam, outputs = Iam(), {"TransactionsTableName": "T"}
    target: Any = SimpleNamespace(client=lambda _: iam, outputs=outputs)
    functions = {"Api": {"role": "api-role", "log_group": "g"}}
    examined = Examined(environment=SimpleNamespace(), target=target, functions=functions)  # type: ignore[arg-type]
    right = next(r for r in rights() if r.function == "Api" and r.need.resource == "Transactions")

    def interrupted() -> None:
        with examined.without(right):
            (statement,) = iam.policies["api-role"]["Statement"]
            assert (statement["Effect"], statement["Action"]) == ("Deny", right.need.action)
            assert statement["Resource"] == ["arn:aws:dynamodb:*:*:table/T", "arn:aws:dynamodb:*:*:table/T/index/*"]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert iam.policies == {}


def test_a_right_whose_answer_was_remembered_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    iam, waited = Iam(), list[float]()
    target: Any = SimpleNamespace(client=lambda _: iam, outputs={"TransactionsTableName": "T"})
    functions = {"Api": {"role": "api-role", "log_group": "g"}}
    examined = Examined(environment=SimpleNamespace(), target=target, functions=functions)  # type: ignore[arg-type]
    expected = next(r for r in rights() if r.function == "Api" and not reason(r) and r.need.resource == "Transactions")
    excepted = next(r for r in rights() if r.function == "Api" and reason(r))
    rounds = iter([[], ["GET /payments: 500"], []])
    monkeypatch.setattr(examination, "_missed_once", lambda _examined, _right: next(rounds))
    monkeypatch.setattr(examination.time, "sleep", waited.append)
    monkeypatch.setattr(Examined, "resources", lambda *_: ["*"])
    assert what_misses(examined, expected) == ["GET /payments: 500"]
    assert what_misses(examined, excepted) == []
    assert waited == [examination._CACHED_SECONDS]
    assert iam.policies == {}
