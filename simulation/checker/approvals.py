"""TWO: above a merchant's limit nothing takes effect without two people, and what they decided takes effect once."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence, Stored, Violation
from simulation.history import Commanded
from simulation.identities import PEOPLE
from simulation.world import CONFIGURATION
from testing.dynamodb.values import plain_item

_PROPOSALS: Final = "#PROPOSALS"
_CLOCKS_MS: Final = 7_000
_PROOF_LASTS_MS: Final = 120_000
_HELD_UP_MS: Final = 15 * 60_000
"""A function may stand still between its read and its write."""
_CLOSINGS: Final = frozenset({"close_review", "close_operation_review"})
_LIMITS: Final = "set_approval_limits"
_UNCLEAR: Final = frozenset({"unavailable", "proof_needed", "same_person", "proposal_expired"})
"""These say nothing about an approval before; but the last one says that there was one."""
_MAY_BE_DONE: Final = "its change may have been made"
_ENDED: Final = frozenset({"DONE", "WITHDRAWN"})
_PRINCIPALS: Final = frozenset(person.principal for person in PEOPLE.values())
_SESSION: Final = ":assumed-role/"
_NOT: Final = (".not_charged", ".review_not_moved")


@dataclass(frozen=True, slots=True)
class Effect:
    """A closing, or new limits, as stored. `content`: what makes it the change of one proposal and of no other."""

    at_ms: int
    content: str
    verdict: str
    operator: str
    proposed_by: str | None
    identity: str
    needed_two: bool
    since_ms: int = 0
    """Of a closing: when the review began that it ended."""


@dataclass(slots=True)
class ProposalEvidence:
    """A proposal: as stored at the end, each state that it had with the time, and its change."""

    proposal_id: str
    merchant: str
    stored: Stored
    change: dict[str, Any]
    states: list[tuple[int, Stored]] = field(default_factory=list)

    @property
    def content(self) -> str:
        """The same as in the effect."""
        return _content(self.merchant, self.change.get("evidence") or self.change.get("limits"))


def two_people(evidence: Evidence) -> Iterator[Violation]:
    """A change that needs two people was decided by two; an approved one is done once, and none is done without."""
    found = effects(evidence)
    by_content: dict[str, list[Effect]] = defaultdict(list)
    for effect in found:
        by_content[effect.content].append(effect)
        yield from _of_two(effect)
    known = proposals(evidence)
    for proposal in known:
        yield from _decided_once(evidence, proposal, by_content[proposal.content])
        yield from _is_recorded(evidence, proposal)
        yield from _ends_once(proposal)
        yield from _says_what_may_be_done(proposal)
    yield from _answers(evidence, {proposal.proposal_id: proposal for proposal in known})


def _of_two(effect: Effect) -> Iterator[Violation]:
    said = f"{effect.content} was decided by {effect.operator}, proposed by {effect.proposed_by}"
    two = effect.proposed_by is not None and effect.proposed_by != effect.operator
    known = {effect.operator, effect.proposed_by} <= _PRINCIPALS
    if effect.needed_two and not (two and known and effect.identity == "proven"):
        yield Violation("TWO", "-", f"{said}, {effect.identity}: it needed two people")
    if effect.proposed_by is not None and not two:
        yield Violation("TWO", "-", f"{said}: that is one person")
    for who in (effect.operator, effect.proposed_by or ""):
        if _SESSION in who and who.count("/") > 1:
            yield Violation("TWO", "-", f"{said}: whoever assumes a role chooses the name of the session")


def _decided_once(evidence: Evidence, proposal: ProposalEvidence, made: list[Effect]) -> Iterator[Violation]:
    """Forgotten by a restore: no effect is left, and the proposal stays decided."""
    name, state = proposal.proposal_id, proposal.stored["state"]
    if len(made) > 1:
        yield Violation("TWO", "-", f"{name} took effect {len(made)} times")
    approved = [stored for _, stored in proposal.states if stored["state"] == "APPROVED"]
    for effect in made:
        if not any(stored["decidedBy"] == effect.operator for stored in approved):
            yield Violation("TWO", "-", f"{name} took effect by {effect.operator}, who did not approve it")
        if effect.proposed_by != proposal.stored["proposedBy"]:
            yield Violation("TWO", "-", f"{name} took effect as proposed by {effect.proposed_by}")
        if effect.since_ms > proposal.stored["createdAt"] + _CLOCKS_MS:
            yield Violation("TWO", "-", f"{name} closed a review that began after it was proposed")
        if effect.verdict and effect.verdict != proposal.change["verdict"]:
            yield Violation("TWO", "-", f"{name} says {proposal.change['verdict']}, and closed as {effect.verdict}")
    forgotten = evidence.result.forgotten
    is_forgotten = forgotten is not None and proposal.stored.get("decidedAt", 0) <= forgotten.until_ms
    if state == "DONE" and not made and not is_forgotten:
        yield Violation("TWO", "-", f"{name} is done, and nothing took effect")
    refusal = proposal.stored.get("refusal")
    may_be_done = refusal is not None and _MAY_BE_DONE in refusal["detail"]
    is_said = may_be_done or (state == "APPROVED" and refusal is None)
    if made and state != "DONE" and not is_said:
        yield Violation("TWO", "-", f"{name} is {state}, and took effect")


def _ends_once(proposal: ProposalEvidence) -> Iterator[Violation]:
    """Nothing follows its end, and no first approval its day."""
    words = [stored["state"] for _, stored in proposal.states]
    for (at_ms, stored), before in zip(proposal.states[1:], words, strict=False):
        if before in _ENDED:
            yield Violation("TWO", "-", f"{proposal.proposal_id} was {before} and became {stored['state']}")
        is_approved = stored["state"] == "APPROVED" and "refusal" not in stored
        if is_approved and at_ms > proposal.stored["expiresAtMs"] + _HELD_UP_MS:
            yield Violation("TWO", "-", f"{proposal.proposal_id} was approved after its day")


def _says_what_may_be_done(proposal: ProposalEvidence) -> Iterator[Violation]:
    """Of two approvals one after the other, the second one's refusal may be due to what the first one did: it says so.

    So does each refusal after that. An approval before which the last one was refused knows that nothing was done.
    """
    may_be_done = False
    for (_, before), (_, after) in pairwise(proposal.states):
        was_open = before["state"] == "APPROVED" and "refusal" not in before
        if after["state"] == "APPROVED" and "refusal" not in after and was_open:
            may_be_done = True
        if may_be_done and _MAY_BE_DONE not in after.get("refusal", {}).get("detail", _MAY_BE_DONE):
            yield Violation("TWO", "-", f"{proposal.proposal_id} was approved twice, and refused as if it were once")


def _is_recorded(evidence: Evidence, proposal: ProposalEvidence) -> Iterator[Violation]:
    """Each step is in the operators' log, with who made it."""
    log = _log(evidence, proposal)
    if ("approval.proposed", proposal.stored["proposedBy"]) not in log:
        yield Violation("TWO", "-", f"no log tells who proposed {proposal.proposal_id}")
    words = {"APPROVED": "approval.approved", "WITHDRAWN": "approval.withdrawn"}
    for _, stored in proposal.states:
        action = words.get(stored["state"])
        if action is not None and (action, stored["decidedBy"]) not in log:
            yield Violation("TWO", "-", f"no log tells that {stored['decidedBy']} decided {proposal.proposal_id}")


def _log(evidence: Evidence, proposal: ProposalEvidence) -> set[tuple[str, str]]:
    return {
        (entry["action"], entry["operator"])
        for entry in _entries(evidence)
        if entry["facts"].get("proposal") == proposal.proposal_id
    }


def _entries(evidence: Evidence) -> Iterator[Stored]:
    for (table, (partition, _)), item in evidence.result.items.items():
        if table == CONFIGURATION and partition.startswith("AUDIT#"):
            yield plain_item(item)


# -- answers


def _answers(evidence: Evidence, known: dict[str, ProposalEvidence]) -> Iterator[Violation]:
    last: dict[str, str] = {}
    for command in sorted(evidence.result.history.commands, key=lambda c: c.answered_ms or 1 << 62):
        kind = command.command["command"]
        if command.by is not None and _code(command) == "command_invalid":
            yield Violation("TWO", "-", f"{kind} of {command.by} was not understood")
        if kind == "list_proposals" and command.ok:
            yield from _shown(command, known)
        if kind != "approve_proposal":
            continue
        proposal = known.get(str(command.command["proposalId"]))
        if proposal is not None:
            last[proposal.proposal_id] = "none" if command.answer is None else _code(command)
            yield from _approved(command, proposal)
    for name, code in last.items():
        stored = known[name].stored
        if stored["state"] == "APPROVED" and "refusal" not in stored and code not in {*_UNCLEAR, "none"}:
            yield Violation("TWO", "-", f"{name} is stuck: it was approved, answered with {code}, and is neither")


def _approved(command: Commanded, proposal: ProposalEvidence) -> Iterator[Violation]:
    """An approval is refused only for a reason that holds, and by its author always."""
    name, code = proposal.proposal_id, _code(command)
    principal = PEOPLE[command.by].principal if command.by else ""
    is_own = principal == proposal.stored["proposedBy"]
    if command.ok and is_own:
        yield Violation("TWO", "-", f"{name} was approved by its author")
    if command.answer is None or command.ok:
        return
    ended = [at_ms for at_ms, stored in proposal.states if stored["state"] in _ENDED]
    expires_ms = proposal.stored["expiresAtMs"]
    holds = {
        "same_person": is_own,
        "proposal_closed": bool(ended) and ended[0] <= command.answered_ms,
        "proposal_expired": command.answered_ms >= expires_ms - _CLOCKS_MS,
        "not_found": False,
        "proof_invalid": command.answered_ms - command.at_ms > _PROOF_LASTS_MS - _CLOCKS_MS,
    }
    before = [stored for at_ms, stored in proposal.states if at_ms <= command.at_ms][-1:]
    is_unclear = any(stored["state"] == "APPROVED" and "refusal" not in stored for stored in before)
    if code == "proposal_expired" and is_unclear and _MAY_BE_DONE not in (command.answer["error"]["message"]):
        yield Violation("TWO", "-", f"{name} is to be proposed again, and nobody knows what became of it")
    if not holds.get(code, True):
        yield Violation("TWO", "-", f"{name} was not approved with {code}, and that is not so")


def _shown(command: Commanded, known: dict[str, ProposalEvidence]) -> Iterator[Violation]:
    """The list shows what will take effect, who asked for it, and a state that the proposal had."""
    for shown in (command.answer or {})["items"]:
        proposal = known.get(shown["proposalId"])
        if proposal is None:
            yield Violation("TWO", "-", f"{shown['proposalId']} is listed and not stored")
            continue
        told = (shown["change"], shown["proposedBy"])
        if told != (proposal.change, proposal.stored["proposedBy"]):
            yield Violation("TWO", "-", f"{shown['proposalId']} is shown as {told}")


def _code(command: Commanded) -> str:
    return str((command.answer or {}).get("error", {}).get("code", "ok"))


# -- what is stored


def proposals(evidence: Evidence) -> list[ProposalEvidence]:
    """All of them."""
    found: dict[str, ProposalEvidence] = {}
    for write in evidence.result.history.writes:
        if write.table != CONFIGURATION or not write.key[0].endswith(_PROPOSALS) or write.after is None:
            continue
        stored = plain_item(write.after)
        known = found.get(write.key[1])
        if known is None:
            change = _json(stored["content"])
            known = found[write.key[1]] = ProposalEvidence(write.key[1], stored["merchantId"], stored, change)
        known.stored = stored
        known.states.append((write.at_ms, stored))
    return list(found.values())


def effects(evidence: Evidence) -> list[Effect]:
    """Closings with their evidence, and limits."""
    limits = _limits(evidence)
    found = [_of_entry(entry, limits) for entry in _entries(evidence) if entry["action"] == _LIMITS_SET]
    for payment in evidence.payments.values():
        found += _closings(payment, limits)
    return found


_LIMITS_SET: Final = "merchant.approval_limits_set"
_Limits = dict[str, list[tuple[int, dict[str, int] | None]]]


def _limits(evidence: Evidence) -> _Limits:
    """Each merchant's limits with the time from which they were stored; None: no limits."""
    found: _Limits = defaultdict(lambda: [(0, None)])
    for write in evidence.result.history.writes:
        if write.table == CONFIGURATION and write.key[1] == "MERCHANT" and write.after is not None:
            now = plain_item(write.after).get("approvalLimits")
            merchant = write.key[0].removeprefix("M#")
            if found[merchant][-1][1] != now:
                found[merchant].append((write.at_ms, now))
    return found


def _of_entry(entry: Stored, limits: _Limits) -> Effect:
    """Only the first limits are set by one person."""
    merchant, at_ms = str(entry["merchantId"]), int(entry["sk"].split("#")[0])
    named = {name.removeprefix("limit"): amount for name, amount in entry["facts"].items()}
    first_ms = next((from_ms for from_ms, now in limits[merchant] if now == named), 1 << 62)
    is_first = [now for from_ms, now in limits[merchant] if from_ms < first_ms] == [None]
    return Effect(
        at_ms=at_ms,
        content=_content(merchant, named),
        verdict="",
        operator=entry["operator"],
        proposed_by=entry.get("proposedBy"),
        identity=entry["identity"],
        needed_two=not is_first,
    )


def _closings(payment: PaymentEvidence, limits: _Limits) -> Iterator[Effect]:
    for event in payment.events:
        facts = event["facts"]
        if "evidence" not in facts or "review" not in event["type"]:
            continue
        operation = payment.operations.get(str(facts.get("operationId")))
        item = operation.item if operation is not None else payment.item
        if item is None or payment.item is None:
            continue
        amount = max(item["amount"], facts.get("namedAmount") or 0)
        yield Effect(
            at_ms=event["at"],
            content=_content(payment.merchant, facts["evidence"]),
            verdict="not_charged" if event["type"].endswith(_NOT) else "charged",
            operator=facts["operator"],
            proposed_by=facts.get("proposedBy"),
            identity=facts.get("identity", "claimed"),
            needed_two=_needed_two(limits[payment.merchant], event["at"], amount, payment.item["currency"]),
            since_ms=_since_ms(payment, operation, event["at"]),
        )


def _since_ms(payment: PaymentEvidence, operation: OperationEvidence | None, at_ms: int) -> int:
    """When the review began that ended at this time, by its writer's clock."""
    since_ms = 0
    versions = payment.versions if operation is None else operation.versions
    for write, before, after in versions:
        if after is not None and after["updatedAt"] >= at_ms:
            break
        if after is not None and after["status"] == "IN_REVIEW" and (before or {}).get("status") != "IN_REVIEW":
            since_ms = write.at_ms
    return since_ms


def _needed_two(limits: list[tuple[int, dict[str, int] | None]], at_ms: int, amount: int, currency: str) -> bool:
    """By all limits that held while the decision was made: a decision reads them, then writes."""
    ends = [from_ms for from_ms, _ in limits[1:]] + [1 << 62]
    held = [
        now
        for (from_ms, now), until_ms in zip(limits, ends, strict=True)
        if from_ms <= at_ms + _CLOCKS_MS and until_ms > at_ms - _HELD_UP_MS
    ]
    return all(now is not None and amount > now.get(currency, 0) for now in held)


def _content(merchant: str, what: object) -> str:
    return f"{merchant}: {json.dumps(what, sort_keys=True)}"


def _json(text: str) -> dict[str, Any]:
    return dict(json.loads(text))


def count_approvals(found: Counter[str], evidence: Evidence) -> None:
    """Count the ends of proposals."""
    for proposal in proposals(evidence):
        kind = "limits" if proposal.change["command"] == _LIMITS else "a closing"
        state = proposal.stored["state"] if "refusal" not in proposal.stored else "REFUSED"
        found[f"proposal of {kind}: {state}"] += 1
        approvals = [
            stored for _, stored in proposal.states if stored["state"] == "APPROVED" and "refusal" not in stored
        ]
        found["proposal: approved again"] += len(approvals) > 1
        found["proposal: approved by two people"] += len({stored["decidedBy"] for stored in approvals}) > 1
        refused = [stored for _, stored in proposal.states if "refusal" in stored]
        found["proposal: done after it was refused"] += bool(refused) and state == "DONE"
        found["proposal: refused, and may have been made"] += any(
            _MAY_BE_DONE in stored["refusal"]["detail"] for stored in refused
        )
    for command in evidence.result.history.commands:
        if command.command["command"] == "approve_proposal" and command.answer is not None:
            found[f"approval: {_code(command)}"] += 1
        found["proposal: made"] += command.is_proposed
    for effect in effects(evidence):
        found["decided alone within the limit"] += not effect.needed_two
        found["decided by two"] += effect.needed_two
