"""Disputes of charges, as the four providers tell of them: the words in their usual order, and their webhooks.

Sources: https://docs.stripe.com/api/disputes/object, https://razorpay.com/docs/webhooks/payloads/disputes/,
https://www.cashfree.com/docs/api-reference/payments/latest/disputes/dispute-webhooks,
https://docs.payu.in/docs/webhooks-for-chargeback.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from sandbox.store import Record

_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_MINOR: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A provider's report of a dispute at one moment. `word`: its status, in the provider's own words."""

    dispute: str
    charge: Record
    """The line of the charge in the provider's ledger."""
    kind: str
    word: str
    amount: int
    reason: str
    opened_at: int
    """Seconds since 1970, like the two below."""
    at: int
    due_at: int | None
    number: int
    """Numbers the events of a dispute from 1."""

    @property
    def event_id(self) -> str:
        return f"evt_{self.dispute}_{self.number}"


def _stripe(turn: Turn) -> str:
    thing = {
        "id": turn.dispute,
        "object": "dispute",
        "amount": turn.amount,
        "balance_transactions": [],
        "charge": f"ch_{turn.charge['chargeId'].removeprefix('pi_')}",
        "created": turn.opened_at,
        "currency": turn.charge["currency"].lower(),
        "evidence_details": {
            "due_by": turn.due_at,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": turn.word.startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "payment_intent": turn.charge["chargeId"],
        "reason": turn.reason,
        "status": turn.word,
    }
    event = {
        "id": turn.event_id,
        "object": "event",
        "api_version": "2023-10-16",
        "created": turn.at,
        "data": {"object": thing},
        "livemode": False,
        "type": turn.kind,
    }
    return json.dumps(event, indent=2)


def _razorpay(turn: Turn) -> str:
    charge, is_lost = turn.charge, turn.word == "lost"
    dispute = {
        "id": turn.dispute,
        "entity": "dispute",
        "payment_id": charge["chargeId"],
        "amount": turn.amount,
        "currency": charge["currency"],
        "amount_deducted": turn.amount if is_lost else 0,
        "reason_code": turn.reason,
        "respond_by": turn.due_at,
        "status": turn.word,
        "phase": "chargeback",
        "created_at": turn.opened_at,
    }
    payment = {
        "id": charge["chargeId"],
        "entity": "payment",
        "amount": charge["amount"],
        "currency": charge["currency"],
        "status": "captured",
        "amount_refunded": charge["refunded"],
        "notes": {"payflowx_key": charge["reference"]},
    }
    event = {
        "entity": "event",
        "account_id": "acc_sandbox",
        "event": turn.kind,
        "contains": ["payment", "dispute"],
        "payload": {"payment": {"entity": payment}, "dispute": {"entity": dispute}},
        "created_at": turn.at,
    }
    return json.dumps(event, separators=(",", ":"))


def _cashfree(turn: Turn) -> str:
    charge = turn.charge
    dispute = {
        "dispute_id": turn.dispute,
        "dispute_type": turn.word.split("_")[0],
        "reason_code": turn.reason,
        "reason_description": "Duplicate Processing",
        "dispute_amount": turn.amount / _MINOR,
        "created_at": _in_india(turn.opened_at),
        "updated_at": _in_india(turn.at),
        "respond_by": _in_india(turn.due_at) if turn.due_at is not None else None,
        "dispute_status": turn.word,
        "dispute_action_on": "MERCHANT",
    }
    order = {
        "order_id": charge["reference"],
        "order_currency": charge["currency"],
        "order_amount": charge["amount"] / _MINOR,
        "cf_payment_id": charge["chargeId"],
        "payment_currency": charge["currency"],
        "payment_amount": charge["amount"] / _MINOR,
    }
    data = {"dispute": dispute, "order_details": order, "customer_details": {}}
    return json.dumps({"data": data, "event_time": _in_india(turn.at), "type": turn.kind})


def _payu(turn: Turn) -> str:
    post: Record = {
        "type": "payments",
        "event": "dispute",
        "reason_code": turn.reason,
        "created_at": _in_india(turn.opened_at, "milliseconds"),
        "updated_at": _in_india(turn.at, "milliseconds"),
        "cb_id": int(turn.dispute),
        "txn_id": turn.charge["chargeId"],
        "cb_amount": f"{turn.amount // _MINOR}.{turn.amount % _MINOR:02d}",
        "cb_status": turn.word,
    }
    if turn.due_at is not None:
        post["due_date"] = datetime.fromtimestamp(turn.due_at, UTC).astimezone(_INDIA).date().isoformat()
    return json.dumps(post)


def _in_india(at: int, precision: str = "seconds") -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(_INDIA).isoformat(timespec=precision)


_BODIES: Final[Mapping[str, Callable[[Turn], str]]] = {
    "stripe": _stripe,
    "razorpay": _razorpay,
    "cashfree": _cashfree,
    "payu": _payu,
}


def body_of(provider: str, turn: Turn) -> bytes:
    """The body of the provider's webhook about it."""
    return _BODIES[provider](turn).encode()


def new_id(provider: str, number: int) -> str:
    """An id as the provider makes them."""
    forms = {"stripe": f"du_{number:018d}", "razorpay": f"disp_{number:014d}", "cashfree": str(433_000_000 + number)}
    return forms.get(provider, str(1_761_000 + number))


OPEN: Final = "OPEN"
UNDER_REVIEW: Final = "UNDER_REVIEW"
WON: Final = "WON"
LOST: Final = "LOST"
CLOSED: Final = "CLOSED"

Said = tuple[str, str, str]
"""The type of the webhook, the word in it, and what it means."""
_CREATED: Final[Mapping[str, Said]] = {
    "stripe": ("charge.dispute.created", "needs_response", OPEN),
    "razorpay": ("payment.dispute.created", "open", OPEN),
    "cashfree": ("DISPUTE_CREATED", "CHARGEBACK_CREATED", OPEN),
    "payu": ("dispute", "New", OPEN),
}
_UNDER_WAY: Final[Mapping[str, tuple[Said, ...]]] = {
    "stripe": (
        ("charge.dispute.funds_withdrawn", "needs_response", OPEN),
        ("charge.dispute.updated", "under_review", UNDER_REVIEW),
    ),
    "razorpay": (
        ("payment.dispute.under_review", "under_review", UNDER_REVIEW),
        ("payment.dispute.action_required", "open", OPEN),
        ("payment.dispute.under_review", "under_review", UNDER_REVIEW),
    ),
    "cashfree": (
        ("DISPUTE_UPDATED", "CHARGEBACK_DOCS_RECEIVED", UNDER_REVIEW),
        ("DISPUTE_UPDATED", "CHARGEBACK_UNDER_REVIEW", UNDER_REVIEW),
    ),
    "payu": (
        ("dispute", "Pending Response", OPEN),
        ("dispute", "Pending Doc Review", UNDER_REVIEW),
        ("dispute", "Insufficient Document", OPEN),
        ("dispute", "Submitted to Bank", UNDER_REVIEW),
    ),
}
_ENDS: Final[Mapping[str, tuple[tuple[Said, ...], ...]]] = {
    "stripe": (
        (("charge.dispute.closed", "won", WON), ("charge.dispute.funds_reinstated", "won", WON)),
        (("charge.dispute.closed", "lost", LOST),),
        (("charge.dispute.closed", "lost", LOST), ("charge.dispute.updated", "lost", LOST)),
    ),
    "razorpay": (
        (("payment.dispute.won", "won", WON),),
        (("payment.dispute.lost", "lost", LOST),),
        (("payment.dispute.closed", "closed", CLOSED),),
    ),
    "cashfree": (
        (("DISPUTE_CLOSED", "CHARGEBACK_MERCHANT_WON", WON),),
        (("DISPUTE_CLOSED", "CHARGEBACK_MERCHANT_LOST", LOST),),
        (("DISPUTE_CLOSED", "CHARGEBACK_MERCHANT_ACCEPTED", LOST),),
        (
            ("DISPUTE_CLOSED", "CHARGEBACK_MERCHANT_WON", WON),
            ("DISPUTE_CREATED", "PRE_ARBITRATION_CREATED", OPEN),
            ("DISPUTE_CLOSED", "PRE_ARBITRATION_MERCHANT_LOST", LOST),
        ),
    ),
    "payu": (
        (("dispute", "Closed in Merchant Favour", WON),),
        (("dispute", "Closed in Customer Favour", LOST),),
    ),
}
_INQUIRY: Final[tuple[Said, ...]] = (
    ("charge.dispute.created", "warning_needs_response", OPEN),
    ("charge.dispute.updated", "warning_under_review", UNDER_REVIEW),
)
_AFTER_INQUIRY: Final[tuple[tuple[Said, ...], ...]] = (
    (("charge.dispute.closed", "warning_closed", CLOSED),),
    (
        ("charge.dispute.updated", "needs_response", OPEN),
        ("charge.dispute.funds_withdrawn", "needs_response", OPEN),
        ("charge.dispute.closed", "lost", LOST),
    ),
)
"""A bank asks before it charges back; Stripe tells of that as a dispute, too."""
DISPUTING: Final = tuple(_CREATED)
"""The providers that tell of disputes."""


def courses(provider: str) -> tuple[tuple[Said, ...], ...]:
    """All courses that a dispute takes at this provider, in the order in which it tells of them."""
    found = [(_CREATED[provider], *_UNDER_WAY[provider], *end) for end in _ENDS[provider]]
    found += [(_CREATED[provider], *end) for end in _ENDS[provider]]  # nobody submitted evidence
    found += [(_CREATED[provider], *_UNDER_WAY[provider]), (_CREATED[provider],)]  # not decided yet
    if provider == "stripe":
        found += [(*_INQUIRY, *rest) for rest in _AFTER_INQUIRY]
    return tuple(found)
