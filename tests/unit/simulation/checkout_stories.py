"""Histories of checkouts, made by hand: honest ones, and ones that break a rule."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from simulation.history import Door, PageCall, Sent
from tests.unit.simulation.story import Story

HOUR_MS = 3_600_000
PAGE = "https://pay.example.com/checkout/token-of-the-page"
OBJECT = "https://mock.acme.example/pages/ses_1"
CHOICE = {"number": 1, "method": "card", "ways": ["mock"], "return_url": f"{PAGE}-back/return"}


def opened(*, choice: dict[str, Any] | None = None, **facts: Any) -> Story:
    """The payer chose, a worker created the object, and the payer has its address."""
    story = Story()
    story.accept()
    expires_ms = story.now_ms + HOUR_MS
    checkout = {"expires_at_ms": expires_ms, "address": PAGE, "presentation": "page", "choice": choice or CHOICE}
    waiting = {"status": "REQUIRES_ACTION", "checkout": checkout, "dueAt": expires_ms}
    story.record("checkout.opened", 1, told="payment.requires_action", **waiting)
    hosted = {"hosted_method": "card", "hosted_expires_at": str(expires_ms), "hosted_return_url": CHOICE["return_url"]}
    story.claim(2, progress={**hosted, **facts})
    story.send(2, "POST", "/v1/sessions", key_of(story))
    attempt = {
        "progress": {**hosted, **facts, "hosted_object": "ses_1"},
        "next_action": {"kind": "redirect", "url": OBJECT},
        "deadline_ms": expires_ms,
    }
    story.outcome(2, "REQUIRES_ACTION", "REQUIRES_ACTION", attempt=attempt, dueAt=story.now_ms + 60_000)
    story.history.doors.append(door(story))
    return story


def key_of(story: Story) -> str:
    return f"pfx-{story.name}-1"


def door(story: Story, **changes: Any) -> Door:
    plain = Door(story.now_ms, story.partition, key_of(story), "mock", True, "open", 0, "1.00 EUR")
    return replace(plain, **changes)


def paid(*, charges: int = 1, recorded: int | None = None, is_listed: bool = True) -> Story:
    """Some charges inside one object; of the further ones, so many are recorded. It was read a last time.

    `is_listed`: people see that it owes them.
    """
    story = opened()
    for number in range(charges):
        story.book("charge", key_of(story), 100, chargeId=f"ch_{number}")
    extras = [{"reference": f"ch_{n}", "amount": 100, "currency": "EUR"} for n in range(1, (recorded or charges))]
    story.claim(3, append=False)
    money = {"captured": 100, "refundable": 100, "chargedAttempt": 1, "extraCharges": extras}
    money |= {"reviewsOf": f"E#{story.merchant}", "reviewSort": "1#pay"} if extras and is_listed else {}
    read_ms = story.item()["checkout"]["expires_at_ms"]
    last_read = {"dueAt": read_ms, "eventInquiries": {"waiting": [1], "ready_at_ms": read_ms}}
    facts = {"reference": "ch_0"}
    story.outcome(3, "SUCCEEDED", "SUCCESS", told="payment.succeeded", attempt=facts, **money, **last_read)
    story.now_ms = read_ms
    story.claim(4, append=False)
    story.change(4, lease=story.free(), dueAt=None, eventInquiries={"waiting": [], "ready_at_ms": read_ms})
    return story


def expired(state: str, *, tries: int = 0, provider: str = "mock", story: Story | None = None) -> Story:
    """The item says that the object ended; `state` is what its page shows at that moment."""
    story = story or opened()
    story.now_ms += 2 * HOUR_MS
    story.claim(3, append=False)
    story.outcome(
        3, "FENCED", "FAILED", told="payment.failed", dueAt=None, lastError={"code": "checkout_expired", "message": "m"}
    )
    story.history.doors.append(door(story, opened=False, state=state, tries=tries, provider=provider))
    return story


def ended_at_cashfree(*, after_ms: int = 2 * HOUR_MS, is_terminated: bool = False) -> Story:
    """The item says that an order of Cashfree ended, so long after its payer got the address."""
    story = opened()
    story.now_ms += after_ms - 2 * HOUR_MS
    if is_terminated:
        story.send(3, "PATCH", f"/pg/orders/{key_of(story)}", key_of(story), "cashfree")
    return expired("closed", provider="cashfree", story=story)


def beside(state: str, provider: str = "mock", tries: int = 0) -> Story:
    """Another object was opened before, and is in this state now."""
    story = opened()
    other = ("pfx-earlier", provider, state, tries)
    story.history.doors.append(door(story, others=(other,)))
    return story


def another_amount() -> Story:
    story = opened()
    story.history.doors.append(door(story, amount="1.01 EUR"))
    return story


def not_chosen() -> Story:
    return opened(choice={**CHOICE, "number": 2})


def outlives() -> Story:
    return opened(hosted_expires_at="9999999999999")


def another_expiry() -> Story:
    story = opened()
    (attempt,) = story.item()["attempts"]
    story.now_ms += 1_000
    story.change(3, attempts=[{**attempt, "progress": {**attempt["progress"], "hosted_expires_at": "1"}}])
    return story


def other_bytes() -> Story:
    story = opened()
    for digest in (1, 2):
        sent = Sent(story.now_ms, "mock", "POST", "/v1/sessions", key_of(story), True, 2, "acme", "acme", "worker")
        story.history.sent.append(replace(sent, digest=digest, is_creation=True))
    return story


def looked(act: str = "show", process: int = 9) -> Story:
    story = opened()
    story.history.page_calls.append(PageCall(story.now_ms, ("acme", "order-a"), act, "token", 200, "", process))
    return story


def page_calls() -> Story:
    story = opened()
    sent = Sent(story.now_ms, "mock", "GET", "/v1/sessions/s", key_of(story), True, 2, "acme", "acme", "checkout")
    story.history.sent.append(sent)
    return story


def forgotten() -> Story:
    story = opened()
    story.now_ms += 1_000
    story.change(3, dueAt=None)
    return story


def failed_early() -> Story:
    story = opened()
    story.claim(3, append=False)
    story.outcome(
        3, "FENCED", "FAILED", told="payment.failed", dueAt=None, lastError={"code": "checkout_expired", "message": "m"}
    )
    return story


def erased(*, left: bool) -> Story:
    story = paid()
    checkout = {**story.item()["checkout"], "choice": None, "address": PAGE if left else None}
    (attempt,) = story.item()["attempts"]
    progress = {**attempt["progress"], "hosted_return_url": "erased"}
    gone = {"customer": None, "paymentMethod": {"type": "card"}, "erased": True, "checkout": checkout}
    attempts = [{**attempt, "next_action": None, "progress": progress}]
    person = {"operator": "o", "reason": "r"}
    story.record("payment.erased", 9, actor="operator", facts=person, attempts=attempts, **gone)
    return story


def told_in_the_log() -> Story:
    story = opened()
    story.history.lines.append(f"GET {PAGE}")
    return story


GOOD_CHECKOUTS: list[Callable[[], Story]] = [
    paid,
    partial(paid, charges=2),
    partial(expired, "closed"),
    lambda: expired("closed", story=looked()),
    lambda: expired("closed", story=looked("choose", 2)),
    lambda: expired("closed", story=beside("closed")),
    lambda: expired("closed", story=beside("closed", "stripe", 3)),
    partial(erased, left=False),
    partial(ended_at_cashfree, after_ms=50 * HOUR_MS),
    partial(ended_at_cashfree, is_terminated=True),
]
BAD_CHECKOUTS: list[tuple[str, Callable[[], Story]]] = [
    ("I20 .*was opened while pfx-earlier was open", partial(beside, "open")),
    ("I20 .*was opened while pfx-earlier was processing", partial(beside, "processing")),
    ("I20 .*was opened while pfx-earlier was paid", partial(beside, "paid")),
    ("I20 .*a try in pfx-earlier at payu might still be charged", partial(beside, "closed", "payu", 1)),
    ("I20 .*asks the payer for 1.01 EUR instead of 1.00 EUR", another_amount),
    ("I20 .*is FENCED while it is open", partial(expired, "open")),
    ("I20 .*is FENCED and not watched", partial(expired, "closed", tries=1, provider="razorpay")),
    ("I20 .*was not terminated, and it has not expired for long enough", ended_at_cashfree),
    ("I20 .*the payer had not chosen it", not_chosen),
    ("I20 .*outlives the checkout", outlives),
    ("I20 .*attempt 1 changed ..hosted_expires_at", another_expiry),
    ("I20 .*with other bytes", other_bytes),
    ("I20 .*opened the page, and process 2 wrote", partial(looked, "show", 2)),
    ("I20 .*a page called mock", page_calls),
    ("I20 .*was paid 1 times more than once, and 0 are recorded", partial(paid, charges=2, recorded=1)),
    ("I3 .*the books say", partial(paid, charges=2, recorded=1)),
    ("I20 .*to its payer, and is on no list", partial(paid, charges=2, is_listed=False)),
    ("REST .*waits for its payer and is due for nothing", forgotten),
    ("REASONS .*while its payer could still pay", failed_early),
    ("ERASURE .*token-of-the-page", partial(erased, left=True)),
    ("I12 .*a log line holds .*token-of-the-page", told_in_the_log),
]
