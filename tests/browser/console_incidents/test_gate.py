"""The incidents of the gate: a provider that is down, and messages that died. A mismatch is in `test_console.py`."""

from functools import partial

from local.environment import LocalEnvironment
from local.seed import MERCHANT_ID
from local.simulators import control
from payflowx.adapters.sqs.messages import JOBS
from payflowx.domain.payments.ports import Job
from tests.browser.conftest import NewTab
from tests.browser.console_incidents.operator import go_to, operator, pay, said, settled, until, words


def test_a_provider_is_down_and_is_taken_out_and_put_back(environment: LocalEnvironment, new_tab: NewTab) -> None:
    control(environment.mocks["mock"], closePortSeconds=90)
    failed_over = settled(environment, pay(environment))
    assert (failed_over["status"], failed_over["provider"]) == ("SUCCESS", "cashfree_mock")
    with operator(new_tab) as tab:
        go_to(tab, "Find")
        tab.get_by_role("link", name=failed_over["transactionId"]).click()
        tab.get_by_role("heading", name=failed_over["transactionId"]).wait_for()
        assert "connection_refused" in words(tab) or "not sent" in words(tab).lower()
        for switch, reason, expected in (
            ("off", "INC-1: refuses connections", "cashfree_mock"),
            ("on", "INC-1: works again", "mock"),
        ):
            go_to(tab, "Providers")
            tab.locator("#switch-mock summary").click()
            form = tab.locator("#switch-mock form")
            form.get_by_label("Reason").fill(reason)
            form.get_by_role("button", name=f"Switch mock {switch}").click()
            said(tab, f"mock is switched {switch} for everyone; heeded within a minute.")
            until(f"new payments begin at {expected}", partial(_begins, environment, expected), seconds=300)


def _begins(environment: LocalEnvironment, provider: str) -> bool:
    """Whether a new payment's first attempt is there."""
    made = settled(environment, pay(environment))
    return bool(made["attempts"][0]["provider"] == provider)


def test_dead_letters_are_understood_and_replayed(environment: LocalEnvironment, new_tab: NewTab) -> None:
    paid = settled(environment, pay(environment))
    body = JOBS.encode(Job(merchant_id=MERCHANT_ID, transaction_id=paid["transactionId"]), None)
    sqs = environment.engine.client("sqs")
    sqs.send_message(QueueUrl=environment.outputs["JobsDeadLetterQueueUrl"], MessageBody=body)
    with operator(new_tab) as tab:
        go_to(tab, "Dead letters")
        tab.get_by_role("link", name="jobs", exact=True).click()
        tab.get_by_role("heading", name="What a replay would do").wait_for()
        assert paid["transactionId"] in words(tab)
        assert "skip" in words(tab)
        tab.reload()
        replay = tab.locator("form[action$='/replay']")
        replay.get_by_label("Reason").fill("INC-2: the queue was blocked")
        replay.get_by_role("button").click()
        said(tab, "1 replayed: 1 skip.")
        until("none is left", lambda: _dead(environment) == 0)
    assert environment.api().get(f"/payments/{paid['transactionId']}")["captured"] == 1_999


def _dead(environment: LocalEnvironment) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = environment.engine.client("sqs").get_queue_attributes(
        QueueUrl=environment.outputs["JobsDeadLetterQueueUrl"], AttributeNames=names
    )
    return sum(int(found["Attributes"][name]) for name in names)
