"""The incidents of the gate: messages that died. The mismatch is in `test_console.py`."""

from local.environment import LocalEnvironment
from local.seed import MERCHANT_ID
from payflowx.adapters.sqs.messages import JOBS
from payflowx.domain.payments.ports import Job
from tests.browser.conftest import NewTab
from tests.browser.console_incidents.operator import go_to, operator, pay, said, settled, until, words


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
