"""Through the public API to the simulators of the four real providers, and back by their webhooks."""

import json
import time
from typing import Any

import pytest

from local.environment import LocalEnvironment
from local.provider_walkthrough import walk_through_provider
from local.scenarios import SCENARIOS
from local.simulators import control
from sandbox.simulators import REAL_PROVIDERS
from tests.e2e.conftest import PATIENT_SECONDS, Client

pytestmark = pytest.mark.local_only("the simulators of real providers run on this machine alone")
PAYMENTS = 2
HOSTILE = {"wrong_signature": 1.0, "twice": 1.0, "late": 0.5, "out_of_order": 0.5}


def deliveries(environment: LocalEnvironment, client: Client, provider: str) -> list[dict[str, Any]]:
    answer = client.pool.request("GET", f"{environment.simulators[provider]}/_webhooks")
    return json.loads(answer.data)["deliveries"]


def charges(environment: LocalEnvironment, client: Client, provider: str) -> list[dict[str, Any]]:
    answer = client.pool.request("GET", f"{environment.simulators[provider]}/_ledger")
    return [e for e in json.loads(answer.data)["entries"] if e["kind"] == "charge" and e["status"] == "charged"]


def test_every_real_provider_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(REAL_PROVIDERS)


@pytest.mark.parametrize("provider", SCENARIOS)
def test_the_walk_goes_as_the_scenario_says(
    environment: LocalEnvironment, provider: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done = walk_through_provider(environment, provider, f"walk-{time.time_ns()}")
    assert done, capsys.readouterr().out


def test_hostile_webhooks_change_nothing_of_the_end(environment: LocalEnvironment, client: Client) -> None:
    """All forged first, all twice, half of them late or out of order: each payment is charged once and known to be."""
    before = {name: max([0, *(d["number"] for d in deliveries(environment, client, name))]) for name in SCENARIOS}
    for address in environment.simulators.values():
        control(address, webhookFaults=HOSTILE, webhookLateSeconds=3, seed=11)
    try:
        started = [(name, pay(client, name, number)) for name in SCENARIOS for number in range(PAYMENTS)]
        ended = [(name, client.wait(payment)) for name, payment in started]
        assert [payment["status"] for _, payment in ended] == ["SUCCESS"] * len(started)
        deadline = time.monotonic() + PATIENT_SECONDS
        for name in SCENARIOS:
            while not _was_refused_and_taken(
                [d for d in deliveries(environment, client, name) if d["number"] > before[name]]
            ):
                assert time.monotonic() < deadline, deliveries(environment, client, name)
                time.sleep(0.2)
    finally:
        for address in environment.simulators.values():
            control(address, webhookFaults={})
    for name, payment in ended:
        keys = {attempt["providerKey"] for attempt in payment["attempts"]}
        taken = [(c["amount"], c["currency"]) for c in charges(environment, client, name) if c["reference"] in keys]
        assert taken == [(payment["amount"], payment["currency"])]
        now = client.get(payment)
        assert (now["status"], now["captured"], len(now["attempts"])) == ("SUCCESS", payment["amount"], 1)


def pay(client: Client, provider: str, number: int) -> dict[str, Any]:
    scenario = SCENARIOS[provider]
    body = {
        "amount": scenario.amount + number,
        "currency": scenario.currency,
        "metadata": {"gateway": provider},
        **scenario.request,
    }
    status, payment, _ = client.call("POST", "/payments", body, Idempotency_Key=f"hostile-{provider}-{number}")
    assert status == 202, payment
    return payment


def _was_refused_and_taken(found: list[dict[str, Any]]) -> bool:
    """No forged one was taken, and some event was refused first and taken when it came again, rightly signed.

    None is no answer within the provider's five seconds: a function that starts on a busy machine may need longer.
    """
    forged = [d for d in found if d["fault"] == "wrong signature"]
    assert {d["status"] for d in forged} <= {401, None}, forged
    taken = {d["id"] for d in found if d["status"] == 200 and d["send"] > 1}
    return any(d["id"] in taken for d in forged if d["status"] == 401)


def test_a_walk_without_webhooks_is_not_as_expected(
    environment: LocalEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    address = environment.simulators["razorpay"]
    control(address, webhookFaults={"never": 1.0})
    try:
        assert not walk_through_provider(environment, "razorpay", f"silent-{time.time_ns()}")
    finally:
        control(address, webhookFaults={})
    assert (
        "<- not as expected: no webhook payment.authorized was accepted; the attempt was closed by worker"
        in capsys.readouterr().out
    )
