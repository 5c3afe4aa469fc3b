"""Histories of API keys that end, and of changes that two people decide, for the tests of the checker's rules."""

import json
from collections.abc import Callable
from typing import Any

from simulation.history import Call, Commanded, Write
from simulation.world import CONFIGURATION, IDEMPOTENCY
from tests.unit.simulation.story import DAY_MS, Story, stored

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
ADA, BEN = (f"arn:aws:iam::000000000000:user/{name}" for name in ("ada", "ben"))
ROLE = "arn:aws:sts::000000000000:assumed-role/operators"
PROPOSAL = "prop_1800000000000_aaaaaaaaaaaaaaaa"
LIMITS = {"INR": 7}
Told = Callable[[], Story]


def paid() -> Story:
    story = Story()
    story.accept()
    story.charge()
    return story


def asked(story: Story, command: str, answer: dict[str, Any] | None, by: str | None = None, **fields: Any) -> None:
    """An operator's command and its answer. It takes 10 ms."""
    named = {"command": command, "merchantId": "acme", **fields}
    story.history.commands.append(Commanded(story.now_ms, "operations", named, answer, story.now_ms + 10, by=by))
    story.now_ms += 10


def logged(story: Story, action: str, operator: str, facts: dict[str, Any] | None = None, **more: Any) -> None:
    """An entry of the operators' log."""
    key = ("AUDIT#2027-01", f"{story.now_ms:013d}#{action}")
    entry = {"pk": key[0], "sk": key[1], "action": action, "operator": operator, "reason": "r", "merchantId": "acme"}
    story.items[CONFIGURATION, key] = stored({**entry, "identity": "proven", "facts": facts or {}, **more})


# -- API keys


def with_key(story: Story) -> None:
    asked(story, "create_key", {"ok": True, "apiKey": "the key", "keyId": "key_1"})
    logged(story, "key.created", ADA)


def requested(story: Story, *, admitted: bool, acted_for: str = "acme", key: str = "k") -> None:
    answer = {} if admitted else {"code": "unauthenticated"}
    call = Call(story.now_ms, "acme", "POST", "/payments", key, "{}", 0 if admitted else 401, answer, story.now_ms + 10)
    call.api_key = "the key"
    if admitted:
        call.admitted_ms, call.acted_for = story.now_ms, acted_for
    story.history.calls.append(call)


def ended(way: str, *, after_ms: int, admitted: bool, answer: dict[str, Any] | None = None, **more: Any) -> Told:
    """A request so long after a key was revoked, rotated with an hour's overlap, or created for a day."""

    def tell() -> Story:
        story = paid()
        with_key(story)
        if way == "expired":
            story.history.commands[-1].command["expiresInDays"] = 1
        else:
            fields: dict[str, Any] = {"keyId": "key_1"} | ({"overlapHours": 1} if way == "rotate_key" else {})
            asked(story, way, {"ok": True} if answer is None else answer, **fields)
            logged(story, "key.revoked" if way == "revoke_key" else "key.rotated", ADA)
        story.now_ms += after_ms
        requested(story, admitted=admitted, **more)
        return story

    return tell


def refused_and_stored() -> Story:
    story = ended("revoke_key", after_ms=MINUTE_MS, admitted=False, key="another")()
    story.items[IDEMPOTENCY, ("M#acme#payments#another", "")] = stored({"pk": "M#acme#payments#another"})
    return story


def listed_as(state: str, *, revoked: bool) -> Told:
    def tell() -> Story:
        story = paid()
        with_key(story)
        if revoked:
            asked(story, "revoke_key", {"ok": True}, keyId="key_1")
            logged(story, "key.revoked", ADA)
        story.now_ms += MINUTE_MS
        asked(story, "list_keys", {"ok": True, "items": [{"keyId": "key_1", "state": state}]})
        return story

    return tell


# -- two people


def limits_stored(story: Story, before: dict[str, int] | None, after: dict[str, int] | None) -> None:
    key = ("M#acme", "MERCHANT")
    old, new = (stored({"pk": key[0], **({"approvalLimits": now} if now else {})}) for now in (before, after))
    story.history.writes.append(Write(story.now_ms, CONFIGURATION, key, old, new, 1))


def proposal_is(story: Story, state: str, **facts: Any) -> None:
    """The proposal of new limits, as it is stored from now on."""
    change = {"command": "set_approval_limits", "merchantId": "acme", "limits": LIMITS}
    item = {
        "merchantId": "acme",
        "content": json.dumps(change),
        "proposedBy": ADA,
        "createdAt": story.now_ms,
        "expiresAtMs": story.now_ms + DAY_MS,
        "state": state,
        **facts,
    }
    key = ("M#acme#PROPOSALS", PROPOSAL)
    story.history.writes.append(Write(story.now_ms, CONFIGURATION, key, None, stored(item), 1))


def log_of_decision(story: Story, action: str, operator: str) -> None:
    logged(story, action, operator, {"proposal": PROPOSAL})


def effect(story: Story, operator: str = BEN, proposed_by: str | None = ADA, identity: str = "proven") -> None:
    limits_stored(story, {"INR": 1}, LIMITS)
    more = {"proposedBy": proposed_by} if proposed_by else {}
    facts = {"limitINR": LIMITS["INR"]}
    logged(story, "merchant.approval_limits_set", operator, facts, identity=identity, **more)
    story.now_ms += 1


def decided(
    *,
    states: tuple[str, ...] = ("APPROVED", "DONE"),
    effects: int = 1,
    by: str = "ben",
    code: str = "ok",
    later_ms: int = 0,
    action: str = "approval.approved",
    refusal: str | None = None,
    **effect_facts: Any,
) -> Told:
    """New limits in place of others, proposed by Ada and approved by Ben."""

    def tell() -> Story:
        story = paid()
        limits_stored(story, None, {"INR": 1})
        logged(story, "merchant.approval_limits_set", ADA, {"limitINR": 1})
        story.now_ms += 1
        begun_ms = story.now_ms
        log_of_decision(story, "approval.proposed", ADA)
        proposal_is(story, "OPEN")
        story.now_ms += 1 + later_ms
        log_of_decision(story, action, BEN)
        facts: dict[str, Any] = {"createdAt": begun_ms, "expiresAtMs": begun_ms + DAY_MS}
        if refusal is not None:
            log_of_decision(story, "approval.withdrawn", BEN)
        for state in states:
            kept = {"refusal": {"detail": refusal}} if refusal is not None and state == "WITHDRAWN" else {}
            proposal_is(story, state, decidedBy=BEN, decidedAt=story.now_ms, **facts, **kept)
            story.now_ms += 1
        for _ in range(effects):
            effect(story, **effect_facts)
        answer = {"ok": True} if code == "ok" else {"ok": False, "error": {"code": code}}
        asked(story, "approve_proposal", answer, by=by, proposalId=PROPOSAL)
        return story

    return tell


def refused(*, approvals: int, detail: str, is_refused_between: bool = False) -> Told:
    """The change is refused after so many approvals; `is_refused_between`: each of them before the next one."""

    def tell() -> Story:
        story = decided(states=("APPROVED",), effects=0, code="unavailable")()
        times = {"createdAt": story.now_ms, "expiresAtMs": story.now_ms + DAY_MS}
        refusal = {"code": "invalid_state", "detail": detail, "at": story.now_ms}
        for _ in range(approvals - 1):
            if is_refused_between:
                proposal_is(story, "APPROVED", decidedBy=BEN, refusal=refusal, **times)
            proposal_is(story, "APPROVED", decidedBy=BEN, **times)
        proposal_is(story, "APPROVED", decidedBy=BEN, refusal=refusal, **times)
        return story

    return tell


def shown_otherwise() -> Story:
    story = decided()()
    items = [{"proposalId": PROPOSAL, "change": {}, "proposedBy": ADA}]
    asked(story, "list_proposals", {"ok": True, "items": items})
    return story


def closed_alone(amount_within: int) -> Told:
    """A person closes a review, where one person decides up to this amount."""

    def tell() -> Story:
        story = paid()
        limits_stored(story, None, {"EUR": amount_within})
        logged(story, "merchant.approval_limits_set", ADA, {"limitEUR": amount_within})
        story.now_ms += HOUR_MS
        error = {"code": "reconciliation", "message": "m"}
        story.record("payment.in_review", 3, told="payment.in_review", status="IN_REVIEW", lastError=error)
        story.now_ms += HOUR_MS
        facts = {"operator": ADA, "reason": "r", "identity": "proven", "evidence": "a settlement"}
        story.record("review.charged", 9, actor="operator", facts=facts, status="SUCCESS")
        return story

    return tell


BAD_DECIDED: list[tuple[str, Told]] = [
    ("KEYS .*was let in 120000 ms after the end", ended("revoke_key", after_ms=120_000, admitted=True)),
    ("KEYS .*was let in", ended("rotate_key", after_ms=HOUR_MS + 2 * MINUTE_MS, admitted=True)),
    ("KEYS .*was let in", ended("expired", after_ms=DAY_MS + 2 * MINUTE_MS, admitted=True)),
    ("KEYS .*was refused, and nothing had ended", ended("rotate_key", after_ms=HOUR_MS // 2, admitted=False)),
    ("KEYS .*was refused, and nothing had ended", ended("expired", after_ms=DAY_MS // 2, admitted=False)),
    (
        "KEYS .*was refused, and nothing had ended",
        ended("revoke_key", after_ms=0, admitted=False, answer={"ok": False, "error": {"code": "not_found"}}),
    ),
    ("KEYS .*of acme acted for globex", ended("expired", after_ms=0, admitted=True, acted_for="globex")),
    ("KEYS .*another of acme was refused each time, and is stored", refused_and_stored),
    ("KEYS .*is shown as valid, and had ended", listed_as("valid", revoked=True)),
    ("KEYS .*is shown as revoked, and nothing had ended it", listed_as("revoked", revoked=False)),
    ("TWO .*it needed two people", decided(proposed_by=None)),
    ("TWO .*it needed two people", decided(identity="claimed")),
    ("TWO .*that is one person", decided(operator=ADA)),
    ("TWO .*chooses the name of the session", decided(operator=f"{ROLE}/cleo")),
    ("TWO .*took effect 2 times", decided(effects=2)),
    ("TWO .*is done, and nothing took effect", decided(effects=0)),
    ("TWO .*is WITHDRAWN, and took effect", decided(states=("WITHDRAWN",), action="approval.withdrawn")),
    ("TWO .*is WITHDRAWN, and took effect", decided(states=("APPROVED", "WITHDRAWN"), refusal="A worker is busy.")),
    ("TWO .*was WITHDRAWN and became APPROVED", decided(states=("WITHDRAWN", "APPROVED"), effects=0)),
    ("TWO .*who did not approve it", decided(operator=ROLE)),
    ("TWO .*took effect as proposed by", decided(proposed_by=ROLE)),
    ("TWO .*was approved after its day", decided(later_ms=DAY_MS + HOUR_MS)),
    ("TWO .*no log tells that .*ben decided", decided(action="approval.seen")),
    ("TWO .*was approved by its author", decided(by="ada")),
    ("TWO .*is stuck", decided(states=("APPROVED",), code="invalid_state", effects=0)),
    ("TWO .*with proposal_expired, and that is not so", decided(code="proposal_expired")),
    ("TWO .*with same_person, and that is not so", decided(code="same_person")),
    ("TWO .*was not understood", decided(code="command_invalid")),
    ("TWO .*is shown as", shown_otherwise),
    ("TWO .*was approved twice, and refused as if it were once", refused(approvals=2, detail="It is over.")),
    ("TWO .*a settlement.*it needed two people", closed_alone(99)),
]
GOOD_DECIDED: list[Told] = [
    ended("revoke_key", after_ms=MINUTE_MS, admitted=True),
    ended("revoke_key", after_ms=0, admitted=False),
    ended("revoke_key", after_ms=HOUR_MS, admitted=True, answer={"ok": False, "error": {"code": "unavailable"}}),
    ended("rotate_key", after_ms=HOUR_MS // 2, admitted=True),
    ended("expired", after_ms=DAY_MS, admitted=False),
    listed_as("valid", revoked=False),
    decided(),
    decided(code="proposal_closed"),
    decided(by="ada", code="same_person"),
    decided(states=("WITHDRAWN",), action="approval.withdrawn", effects=0, code="proposal_closed"),
    decided(states=("APPROVED",), code="unavailable"),
    decided(states=("APPROVED", "WITHDRAWN"), code="unavailable", refusal="its change may have been made then"),
    decided(states=("APPROVED",), by="ada", code="same_person"),
    refused(approvals=1, detail="It is over."),
    refused(
        approvals=2, detail="It is over. The proposal was approved before, and its change may have been made then."
    ),
    refused(approvals=2, detail="It is over.", is_refused_between=True),
]
