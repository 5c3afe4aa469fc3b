"""Roll-outs of routing documents over a model of AppConfig's deployments."""

import io
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payflowx.adapters.appconfig.publisher import AppConfigPublisher
from payflowx.application.routing.publish_routing import RollBackRouting
from payflowx.domain.merchants.directory import AuditEntry
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.errors import Refusal
from tests.support.memory import ManualClock

ADA = OperatorAction(who="ada", why="T-1")


@dataclass
class AppConfig:
    """The newest deployment last. `revertible`: how many of the newest are younger than three days."""

    deployments: list[dict[str, Any]] = field(default_factory=list)
    revertible: int = 99
    refuses: bool = False

    def rolled_out(self, version: int, state: str = "COMPLETE") -> None:
        number = len(self.deployments) + 1
        self.deployments.append({"DeploymentNumber": number, "ConfigurationVersion": str(version), "State": state})

    def list_deployments(self, **_: Any) -> dict[str, Any]:
        return {"Items": self.deployments}

    def get_hosted_configuration_version(self, **_: Any) -> dict[str, Any]:
        return {"Content": io.BytesIO(b"{}")}

    def stop_deployment(self, *, DeploymentNumber: int, **_: Any) -> None:  # noqa: N803 - AWS's name
        if len(self.deployments) - DeploymentNumber >= self.revertible:
            raise self._error("BadRequestException")
        self.deployments[DeploymentNumber - 1]["State"] = "REVERTED"

    def start_deployment(self, *, ConfigurationVersion: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if self.refuses:
            raise self._error("ConflictException")
        self.rolled_out(int(ConfigurationVersion), "DEPLOYING")
        return self.deployments[-1]

    @staticmethod
    def _error(code: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": "no"}}, "call")


@dataclass
class Records:
    entries: list[AuditEntry] = field(default_factory=list)

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


def roll_back(app_config: AppConfig, records: Records, to: int | None = None) -> int:
    publisher = AppConfigPublisher(
        client=app_config,  # type: ignore[arg-type]
        application="a",
        environment="e",
        profile="p",
        strategy="s",
    )
    use_case = RollBackRouting(publisher=publisher, merchant_directory=records, clock=ManualClock(1_000))  # type: ignore[arg-type]
    return use_case(ADA, to).number


@pytest.fixture
def app_config() -> AppConfig:
    three = AppConfig()
    for version in (1, 2, 3):
        three.rolled_out(version)
    return three


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.mark.parametrize("state", ["COMPLETE", "BAKING", "DEPLOYING"])
def test_the_last_roll_out_is_taken_back_once(app_config: AppConfig, records: Records, state: str) -> None:
    app_config.deployments[-1]["State"] = state
    assert roll_back(app_config, records) == 2
    with pytest.raises(Refusal, match="version 2 is served") as refusal:
        roll_back(app_config, records)
    assert refusal.value.code == "nothing_to_roll_back"
    assert [(entry.action, dict(entry.facts)) for entry in records.entries] == [
        ("routing.rolled_back", {"from": 3, "to": 2})
    ]


@pytest.mark.parametrize("state", ["ROLLED_BACK", "ROLLING_BACK", "REVERTED"])
def test_what_an_alarm_has_taken_back_is_not_followed_by_a_good_one(
    app_config: AppConfig, records: Records, state: str
) -> None:
    app_config.rolled_out(4, state)
    with pytest.raises(Refusal, match="version 3 is served"):
        roll_back(app_config, records)
    assert records.entries == []


@pytest.mark.parametrize("state", ["DEPLOYING", "COMPLETE"])
def test_a_roll_out_of_the_version_of_before_is_not_taken_back_by_a_repetition(
    app_config: AppConfig, records: Records, state: str
) -> None:
    """The last one is older than three days, so that AppConfig does not revert it."""
    app_config.revertible = 0
    assert roll_back(app_config, records) == 2
    app_config.deployments[-1]["State"] = state
    with pytest.raises(Refusal, match="version 2 is served"):
        roll_back(app_config, records)
    assert [d["ConfigurationVersion"] for d in app_config.deployments] == ["1", "2", "3", "2"]


def test_the_next_document_is_taken_back_to_what_was_served_before_it(app_config: AppConfig, records: Records) -> None:
    roll_back(app_config, records)
    app_config.rolled_out(4)
    assert roll_back(app_config, records) == 2


def test_a_named_version_is_served_however_often_it_is_asked_for(app_config: AppConfig, records: Records) -> None:
    for _ in range(3):
        assert roll_back(app_config, records, to=1) == 1
    assert len(records.entries) == 1
    assert [d["ConfigurationVersion"] for d in app_config.deployments] == ["1", "2", "3", "1"]


@pytest.mark.parametrize(("to", "states"), [(2, ["REVERTED"]), (1, ["REVERTED", "DEPLOYING"])])
def test_a_roll_out_under_way_is_stopped_for_a_named_version(
    app_config: AppConfig, records: Records, to: int, states: list[str]
) -> None:
    app_config.deployments[-1]["State"] = "DEPLOYING"
    assert roll_back(app_config, records, to=to) == to
    assert [d["State"] for d in app_config.deployments[2:]] == states


def test_a_version_that_was_never_served_is_refused(app_config: AppConfig, records: Records) -> None:
    with pytest.raises(Refusal, match="served version 9"):
        roll_back(app_config, records, to=9)
    with pytest.raises(Refusal, match="no other version"):
        roll_back(AppConfig(), records)
    assert records.entries == []


def test_a_refusal_of_the_configuration_store_is_recorded(app_config: AppConfig, records: Records) -> None:
    app_config.refuses = True
    with pytest.raises(Refusal):
        roll_back(app_config, records, to=1)
    assert [entry.action for entry in records.entries] == ["routing.rolled_back", "routing.rolled_back_refused"]
    assert records.entries[-1].facts["code"] == "routing_busy"
