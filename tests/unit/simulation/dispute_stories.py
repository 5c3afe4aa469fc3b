"""Histories of disputed charges: what a provider said, what was stored of it, and what people read."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from simulation.history import Commanded, DisputeTurn, PostedWebhook, Warned
from tests.unit.simulation.story import Story

Told = Callable[[], Story]
HOUR_MS = 3_600_000
DISPUTE = "dp_1"


def charged() -> Story:
    story = Story()
    story.accept()
    story.charge()
    return story


def said(story: Story, state: str, number: int = 1, *, dispute: str = DISPUTE, **facts: Any) -> DisputeTurn:
    """A provider says something about the charge, and posts it; the post is answered."""
    values: dict[str, Any] = {
        "charge_id": f"ch_{story.name}",
        "amount": 100,
        "currency": "EUR",
        "due_ms": story.now_ms + HOUR_MS,
        "reason": "fraudulent",
    }
    turn = DisputeTurn(
        at_ms=story.now_ms,
        provider="mock",
        merchant=story.merchant,
        dispute=dispute,
        number=number,
        state=state,
        event_id=f"evt_{dispute}_{number}",
        **{**values, **facts},
    )
    story.history.dispute_turns.append(turn)
    story.history.webhooks.append(
        PostedWebhook(
            at_ms=story.now_ms,
            provider="mock",
            merchant=story.merchant,
            address=story.merchant,
            signed_by=story.merchant,
            event_id=turn.event_id,
            type="dispute",
            number=1,
            status=200,
            body=f"{turn.charge_id}".encode(),
        )
    )
    return turn


def stored_as(turn: DisputeTurn, **other: Any) -> dict[str, Any]:
    return {
        "provider": turn.provider,
        "reference": turn.dispute,
        "state": turn.state,
        "amount": turn.amount,
        "currency": turn.currency,
        "reason": turn.reason,
        "opened_at_ms": turn.at_ms,
        "reported_at_ms": turn.at_ms,
        "evidence_due_at_ms": turn.due_ms,
        "is_signed": True,
        **other,
    }


def recorded(story: Story, turn: DisputeTurn, kind: str, *, told: bool = True, **other: Any) -> None:
    """The dispute is stored, announced and listed; `other` are other facts than the provider's."""
    changes = other.pop("changes", {})
    facts = other.pop("facts", {})
    dispute = {name: value for name, value in stored_as(turn, **other).items() if value is not None}
    kept = [known for known in story.item().get("disputes", []) if known["reference"] != turn.dispute]
    story.record(
        f"payment.dispute.{kind}",
        3,
        actor="webhook",
        told=f"payment.dispute.{kind}" if told else None,
        facts={
            "provider": turn.provider,
            "disputeReference": turn.dispute,
            "disputeState": dispute["state"],
            "disputeAmount": dispute["amount"],
            "evidenceDueAtMs": dispute.get("evidence_due_at_ms"),
            "webhook": f"{turn.event_id}",
            **facts,
        },
        disputes=[*kept, dispute],
        **changes,
    )
    story.history.counted["DisputesReported", ""] += kind == "opened"
    listed(story, turn, dispute)


def listed(story: Story, turn: DisputeTurn, dispute: dict[str, Any]) -> None:
    entry: dict[str, Any] = {"provider": turn.provider, "reference": turn.dispute}
    if dispute["state"] == "OPEN" and "evidence_due_at_ms" in dispute:
        sort = f"{dispute['evidence_due_at_ms']:013d}#{story.transaction_id}#{turn.dispute}"
        entry |= {"reviewsOf": f"D#{story.merchant}", "reviewSort": sort}
    story.put(f"DISPUTE#{turn.provider}#{turn.dispute}", entry, 3)


def disputed(*states: str, **last: Any) -> Story:
    """One dispute that takes these states; `last` are other facts that are stored of the last one."""
    story, old = charged(), ""
    for number, state in enumerate(states, 1):
        is_last = number == len(states)
        turn = said(story, state, number)
        kind = state.lower() if state in {"WON", "LOST", "CLOSED"} and state != old else "updated"
        is_opened = number == 1 or (old in {"WON", "LOST", "CLOSED"} and state != old)
        kind = "opened" if kind == "updated" and is_opened else kind
        opened_ms = story.history.dispute_turns[0].at_ms
        recorded(story, turn, kind, **{"opened_at_ms": opened_ms, **(last if is_last else {})})
        old = state
    return story


def told(*states: str, **last: Any) -> Told:
    return lambda: disputed(*states, **last)


def looked_up(*, left_out: bool = False) -> Story:
    """An operator reads the list a minute later."""
    story = disputed("OPEN")
    turn = story.history.dispute_turns[0]
    story.now_ms += 60_000
    at = datetime.fromtimestamp((turn.due_ms or 0) / 1_000, UTC)
    entry = {
        "transactionId": story.transaction_id,
        "provider": "mock",
        "providerRef": turn.dispute,
        "evidenceDueAt": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    answer = {"ok": True, "items": [] if left_out else [entry], "nextPosition": None}
    command = {"command": "list_disputes", "merchantId": story.merchant}
    story.history.commands.append(Commanded(story.now_ms, "operations", command, answer, story.now_ms + 10))
    return story


def warned(near: int) -> Told:
    def tell() -> Story:
        story = disputed("OPEN")
        story.now_ms += 60_000
        facts = {"transactionId": story.transaction_id, "provider": "mock", "disputeReference": DISPUTE}
        lines = (f"evidence of a dispute is due soon {facts}",) * near
        story.history.warnings.append(Warned(story.now_ms, story.now_ms + 10, near, lines))
        return story

    return tell


def of_another_payment() -> Story:
    story = charged()
    recorded(story, said(story, "OPEN", charge_id="ch_other"), "opened")
    return story


def stale() -> Story:
    """The end was stored, and an earlier report after it."""
    story = charged()
    first = said(story, "OPEN")
    story.now_ms += 60_000
    recorded(story, said(story, "LOST", 2), "lost", opened_at_ms=first.at_ms)
    recorded(story, first, "updated")
    return story


def never_stored() -> Story:
    story = charged()
    said(story, "OPEN")
    story.now_ms += HOUR_MS
    return story


def began_later() -> Story:
    """The second report arrived first, and the first one changed nothing."""
    story = charged()
    said(story, "OPEN")
    story.now_ms += 60_000
    recorded(story, said(story, "LOST", 2), "lost")
    return story


def not_on_the_list() -> Story:
    story = disputed("OPEN")
    listed(story, story.history.dispute_turns[0], {"state": "LOST"})
    return story


def _told_as(state: str, kind: str) -> Story:
    story = charged()
    recorded(story, said(story, state), kind)
    return story


def _counted(times: int, *states: str) -> Story:
    story = disputed(*states)
    story.history.counted["DisputesReported", ""] = times
    return story


def _reopened_as(kind: str) -> Story:
    story = disputed("WON")
    first = story.history.dispute_turns[0]
    recorded(story, said(story, "OPEN", 2), kind, opened_at_ms=first.at_ms)
    return story


GOOD_DISPUTES: list[Told] = [
    told("OPEN"),
    told("OPEN", "UNDER_REVIEW", "LOST"),
    told("OPEN", "WON", "WON", "OPEN", "LOST"),
    looked_up,
    warned(1),
]
BAD_DISPUTES: list[tuple[str, Told]] = [
    ("DISPUTES .*no post told of it and of a charge of this payment", of_another_payment),
    ("DISPUTES .*the provider said", told("OPEN", amount=99)),
    ("DISPUTES .*the provider said", told("OPEN", "UNDER_REVIEW", state="WON")),
    ("DISPUTES .*the provider had said LOST later", stale),
    (
        "DISPUTES .*a report of a dispute changed .'refundable', 'refunded'",
        told("LOST", changes={"refundable": 0, "refunded": 100}),
    ),
    ("DISPUTES .*a report of a dispute changed .'dueAt'", told("OPEN", changes={"dueAt": 1})),
    ("DISPUTES .*LOST is told as payment.dispute.updated", lambda: _told_as("LOST", "updated")),
    ("DISPUTES .*event 3 tells", told("OPEN", facts={"disputeAmount": 1})),
    ("DISPUTES .*was told and is not stored", never_stored),
    ("DISPUTES .*began earlier than is stored", began_later),
    ("DISPUTES .*has lost its deadline", told("OPEN", evidence_due_at_ms=None)),
    ("DISPUTES .*has a deadline that nobody named", told("OPEN", evidence_due_at_ms=1)),
    ("DISPUTES .*awaits evidence and is on no list", not_on_the_list),
    ("DISPUTES .*is not on the list that was read", lambda: looked_up(left_out=True)),
    ("DISPUTES .*nobody was warned of the deadline of dp_1", warned(0)),
    ("DISPUTES .*2 deadlines were counted", warned(2)),
    ("I16 .*new statuses are", told("OPEN", told=False)),
    ("DISPUTES .*OPEN is told as payment.dispute.updated", lambda: _reopened_as("updated")),
    ("METRICS .*DisputesReported was counted 0 times", lambda: _counted(0, "OPEN")),
    ("METRICS .*DisputesReported was counted 1 times", lambda: _counted(1, "OPEN", "WON", "OPEN")),
]
