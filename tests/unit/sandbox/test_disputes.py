"""What the simulators tell of disputes, as the connectors read it: every word of every course."""

import pytest

from payflowx.domain.payments.dispute import DisputeReport, DisputeState
from payflowx.domain.providers.events import Webhook
from payflowx.providers.registry import connector
from sandbox.disputes import DISPUTING, Said, Turn, body_of, courses, new_id
from sandbox.simulator import Credentials
from sandbox.simulators import REAL_PROVIDERS
from simulation.books import Books

NOW = 1_790_000_000
KEY = "pfx-abcdefghijklmnop-1"
SECRET = "simulated"
CHARGE = {"chargeId": "999000000000468", "reference": KEY, "amount": 10_000, "currency": "INR", "refunded": 0}
WORDS = [(name, said) for name in DISPUTING for said in dict.fromkeys(s for course in courses(name) for s in course)]


@pytest.mark.parametrize(("provider", "said"), WORDS)
def test_the_connector_reads_it_as_it_is_meant(provider: str, said: Said) -> None:
    kind, word, state = said
    turn = Turn(
        dispute=new_id(provider, 7),
        charge=CHARGE,
        kind=kind,
        word=word,
        amount=2_599,
        reason="fraudulent",
        opened_at=NOW - 60,
        at=NOW,
        due_at=NOW + 86_400,
        number=2,
    )
    body, credentials = body_of(provider, turn), Credentials(key_id="id", key_secret=SECRET)
    simulator = REAL_PROVIDERS[provider](Books(lambda *_: None), credentials, public_url="http://localhost")
    simulator.webhook_secret = SECRET  # type: ignore[attr-defined]
    headers = {name.lower(): text for name, text in simulator.sign(body, NOW).items()}  # type: ignore[attr-defined]
    webhook = Webhook(headers=headers, body=body, received_at_ms=NOW * 1_000)
    event = connector(provider).read_webhook(webhook, [SECRET])
    report = event.dispute
    assert isinstance(report, DisputeReport)
    assert (report.reference, report.state, report.amount) == (turn.dispute, DisputeState(state), 2_599)
    assert (report.currency, report.reason, report.reported_at_ms) == ("INR", "fraudulent", NOW * 1_000)
    assert report.evidence_due_at_ms is not None
    assert 0 <= report.evidence_due_at_ms - (NOW + 86_400) * 1_000 < (86_400_000 if provider == "payu" else 1)
    assert event.charge_reference == CHARGE["chargeId"]
    assert event.charge_key == (KEY if provider in {"razorpay", "cashfree"} else None)
    assert report.is_signed is (provider != "payu")


@pytest.mark.parametrize("provider", DISPUTING)
def test_every_course_begins_open(provider: str) -> None:
    assert {course[0][2] for course in courses(provider)} == {"OPEN"}
    assert {said[2] for course in courses(provider) for said in course} >= {"OPEN", "UNDER_REVIEW", "WON", "LOST"}
