"""The reconciliations of the forgotten time: for every account, whatever their number and the length of the time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ops.errors import OperatorError
from ops.restore.deployment import CommandedDeployment
from ops.session import Session
from ops.target import Target
from payflowx.domain.shared.limits import DAY_MS

REFUSED = {"ok": False, "error": {"code": "provider_not_reconciled", "message": "It has no report."}}
NO_ANSWER = {"ok": False, "error": {"code": "unavailable", "message": "the database did not answer"}}
MERCHANTS = {"acme": ("mock", "stripe"), "globex": ("payu", "stripe"), "initech": ("payu",)}


class LocalTarget(Target):
    def who(self) -> str:
        return "local:ada"


@dataclass
class Function:
    """Answers as both functions do."""

    answers: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, command: Mapping[str, Any]) -> dict[str, Any]:
        match command["command"]:
            case "list_providers":
                names = ("mock", "payu", "stripe")
                return {"ok": True, "items": [{"provider": name, "simulated": name == "mock"} for name in names]}
            case "list_merchants":
                return {"ok": True, "items": [{"merchantId": name} for name in MERCHANTS], "nextAfter": None}
            case "show_merchant":
                return {"ok": True, "accounts": [{"provider": name} for name in MERCHANTS[command["merchantId"]]]}
        self.asked.append(dict(command))
        run = f"run_{command['provider']}_{command['merchantId']}_{command['fromMs'] // DAY_MS}"
        return self.answers.get(command["provider"], {"ok": True, "runs": [{"runId": run}]})


def deployment(function: Function) -> CommandedDeployment:
    target = LocalTarget(name="local", outputs={}, options={}, base_url="", stack_prefix="Dev")
    session = Session(find_target=lambda _name, _region: target, find_invoker=lambda _target, _function: function)
    return CommandedDeployment(session=session, reason="TICKET-1", orders_known=False)


def test_each_merchant_is_reconciled_at_each_of_its_real_providers() -> None:
    function = Function()
    runs = deployment(function).reconcile(0, DAY_MS)
    assert runs == ["run_stripe_acme_0", "run_payu_globex_0", "run_stripe_globex_0", "run_payu_initech_0"]


def test_a_time_that_is_longer_than_a_reconciliation_is_divided() -> None:
    function = Function()
    deployment(function).reconcile(0, 35 * DAY_MS)
    spans = [(asked["fromMs"], asked["untilMs"]) for asked in function.asked if asked["merchantId"] == "acme"]
    assert spans == [(0, 31 * DAY_MS), (31 * DAY_MS, 35 * DAY_MS)]


def test_a_provider_without_a_report_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    runs = deployment(Function({"payu": REFUSED})).reconcile(0, DAY_MS)
    assert runs == ["run_stripe_acme_0", "run_stripe_globex_0"]
    assert capsys.readouterr().err.count("payu is not reconciled") == 1


def test_without_an_answer_the_step_is_not_done() -> None:
    with pytest.raises(OperatorError, match="did not answer"):
        deployment(Function({"stripe": NO_ANSWER})).reconcile(0, DAY_MS)
