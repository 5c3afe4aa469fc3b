"""Where the console has something to show: trouble that is prepared cheaply and cleared away again."""

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from local.environment import LocalEnvironment
from local.merchant_endpoint import Received
from local.seed import MERCHANT_ID
from ops.errors import OperatorError
from ops.session import Session
from payflowx.adapters.sqs.messages import JOBS
from payflowx.domain.payments.ports import Job
from tests.browser.console_incidents.operator import endpoint_of, pay, refused_payment, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

_PROPOSER: Final = "proposer"
_PAIR: Final = "two-people"
"""A merchant whose limits were set, so that another change of them waits for a second person."""


@contextmanager
def a_dead_letter(environment: LocalEnvironment) -> Iterator[None]:
    """A wake-up of a payment that has no work left. The queue is empty afterwards."""
    paid = settled(environment, pay(environment))
    queue, sqs = environment.outputs["JobsDeadLetterQueueUrl"], environment.engine.client("sqs")
    body = JOBS.encode(Job(merchant_id=MERCHANT_ID, transaction_id=paid["transactionId"]), None)
    sqs.send_message(QueueUrl=queue, MessageBody=body)
    try:
        yield
    finally:
        sqs.purge_queue(QueueUrl=queue)


@contextmanager
def an_endpoint_that_refuses(environment: LocalEnvironment) -> Iterator[None]:
    """With an event that waits for it. It is removed afterwards."""
    received = Received(refusal_rate=1.0)
    with endpoint_of(environment, received):
        refused_payment(environment, received)
        yield


def a_proposal() -> str:
    """The address of a change that waits for a second person."""
    session = Session()
    _sign_in(session)
    try:
        session.change("create_merchant", "TICKET-1", merchantId=_PAIR, name="Two people decide")
    except OperatorError as error:
        if error.hint != "(merchant_exists)":
            raise
    answer: dict[str, dict[str, str]] = {}
    while "proposal" not in answer:  # the first limit is set by one person, its change is proposed
        limits = {"USD": time.time_ns() % 1_000_000}
        answer = session.change("set_approval_limits", "TICKET-2", merchantId=_PAIR, limits=limits)
    return f"/approvals/{_PAIR}/{answer['proposal']['proposalId']}"


def _sign_in(session: Session) -> None:
    """As a user whom the local engine's STS can name: only a proven identity may propose."""
    iam = session.target.client("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=_PROPOSER)
    key = iam.create_access_key(UserName=_PROPOSER)["AccessKey"]
    os.environ["PAYFLOWX_LOCAL_KEY_ID"] = key["AccessKeyId"]
    os.environ["PAYFLOWX_LOCAL_KEY_SECRET"] = key["SecretAccessKey"]


def open_every_detail(tab: "Page") -> None:
    """What is folded is examined, too."""
    tab.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true })")


def try_a_document(tab: "Page", *, with_fault: bool) -> None:
    """On the page where the routing document is changed: check it, and try it on stored decisions."""
    document = tab.get_by_label("Document")
    if with_fault:
        document.fill(document.input_value().replace('"providers"', '"provider"', 1))
        tab.get_by_role("button", name="Check", exact=True).click()
        tab.get_by_text("It cannot be published.").wait_for()
    else:
        tab.get_by_role("button", name="Check, and try it on the last 2,000 decisions").click()
        tab.get_by_text("Publish what was checked").wait_for()
