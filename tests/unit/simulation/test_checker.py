"""Each invariant must detect a run that was doctored to break it, and leave an honest one alone."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from simulation.check import evidence_of
from simulation.checker.evidence import Evidence, PaymentEvidence, Violation
from simulation.checker.invariants import INVARIANTS, MAX_PROVIDER_CALLS_PER_HOUR, violations
from simulation.providers import SECRET
from simulation.world import Plan

SEED = 5


@pytest.fixture(scope="module")
def honest() -> Evidence:
    return evidence_of(Plan(SEED))


@pytest.fixture
def evidence(honest: Evidence) -> Evidence:
    return dataclasses.replace(
        honest,
        payments=copy.deepcopy(honest.payments),
        created=copy.deepcopy(honest.created),
        result=dataclasses.replace(
            honest.result,
            history=copy.deepcopy(honest.result.history),
            items=dict(honest.result.items),
        ),
    )


def found(evidence: Evidence) -> set[str]:
    return {violation.invariant for violation in violations(evidence)}


def paid(evidence: Evidence) -> PaymentEvidence:
    return next(p for p in evidence.payments.values() if p.status == "SUCCESS" and len(p.events) == 2)


def test_an_honest_run_breaks_nothing(evidence: Evidence) -> None:
    assert violations(evidence) == []


def second_charge(evidence: Evidence) -> None:
    paid(evidence).charged *= 2


def other_amount(evidence: Evidence) -> None:
    paid(evidence).charged[0]["amount"] += 1


def no_charge(evidence: Evidence) -> None:
    paid(evidence).charged.clear()


def charged_failure(evidence: Evidence) -> None:
    failed = next(p for p in evidence.payments.values() if p.status == "FAILED")
    failed.charged.append(paid(evidence).charged[0])


def lost(evidence: Evidence) -> None:
    payment = paid(evidence)
    del evidence.payments[f"{payment.transaction_id}@{payment.merchant}"]


def stuck(evidence: Evidence) -> None:
    paid(evidence).item["status"] = "PENDING"


def restless(evidence: Evidence) -> None:
    evidence.result.settled = False


def missing_event(evidence: Evidence) -> None:
    del paid(evidence).events[0]


def altered_event(evidence: Evidence) -> None:
    paid(evidence).events[1]["facts"]["provider"] = "nobody"


def other_head(evidence: Evidence) -> None:
    paid(evidence).item["eventSeq"] += 1


def change_last(**changes: Any) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        payment = paid(evidence)
        write, before, after = payment.versions[-1]
        payment.versions[-1] = (write, before, {**after, **changes})

    return change


def forbidden_step(evidence: Evidence) -> None:
    payment = paid(evidence)
    write, before, after = payment.versions[-1]
    payment.versions[-1] = (write, {**before, "status": "CANCELLED"}, after)


def reopened_attempt(evidence: Evidence) -> None:
    payment = paid(evidence)
    write, _, after = payment.versions[-1]
    again = copy.deepcopy(after)
    again["attempts"][0]["state"] = "DECLINED"
    payment.versions.append((write, after, {**again, "version": after["version"] + 1}))


def two_bodies(evidence: Evidence) -> None:
    calls = next(calls for calls in evidence.created.values() if calls[0].status == 202)
    calls.append(dataclasses.replace(calls[0], body="{}"))


def refused_for_nothing(evidence: Evidence) -> None:
    calls = next(c for c in evidence.created.values() if len({x.body for x in c}) == 1 and c[0].status == 202)
    calls.append(dataclasses.replace(calls[0], status=422, answer={"code": "idempotency_key_reused"}))


def two_ids(evidence: Evidence) -> None:
    calls = next(calls for calls in evidence.created.values() if calls[0].status == 202)
    calls.append(dataclasses.replace(calls[0], answer={"transactionId": "pay_aaaaaaaaaaaaaaaa"}))


def key_not_stored(evidence: Evidence) -> None:
    sent = evidence.result.history.sent
    sent[0] = dataclasses.replace(sent[0], stored=False)


def two_open_attempts(evidence: Evidence) -> None:
    payment = paid(evidence)
    write, before, after = payment.versions[-1]
    opened = {**after["attempts"][0], "state": "UNKNOWN"}
    payment.versions[-1] = (write, before, {**after, "attempts": [opened, opened]})


def taken_reference(evidence: Evidence) -> None:
    writes = evidence.result.history.writes
    reference = next(write for write in writes if write.key[0].startswith("R#"))
    other = {**reference.after, "transactionId": {"S": "pay_other"}}
    writes.append(dataclasses.replace(reference, before=reference.after, after=other))


def foreign_answer(evidence: Evidence) -> None:
    calls = evidence.result.history.calls
    call = next(call for call in calls if call.status == 202)
    calls.append(dataclasses.replace(call, merchant="nobody"))


def logged_token(evidence: Evidence) -> None:
    evidence.result.history.lines.append("charged with tok_success")


def stored_secret(evidence: Evidence) -> None:
    items = evidence.result.items
    place = next(place for place in items if place[1][1] == "PAYMENT")
    items[place] = {**items[place], "note": {"S": SECRET}}


def too_many_calls(evidence: Evidence) -> None:
    payment = paid(evidence)
    payment.sent *= MAX_PROVIDER_CALLS_PER_HOUR + 1


def old_epoch_writes(evidence: Evidence) -> None:
    payment = paid(evidence)
    write, _, after = payment.versions[-1]
    taken = {**after, "lease": {"owner": "b", "epoch": after["lease"]["epoch"] + 1, "expiresAt": 0}}
    attempt = {**after["attempts"][0], "code": "late"}
    payment.versions.append((dataclasses.replace(write, process=99_999), after, taken))
    payment.versions.append((write, taken, {**taken, "attempts": [attempt]}))


def defect(evidence: Evidence) -> None:
    evidence.result.history.defects.append("KeyError('x')")


def unannounced(evidence: Evidence) -> None:
    del paid(evidence).events[-1]["topic"]


def announced_out_of_turn(evidence: Evidence) -> None:
    paid(evidence).events[-1]["number"] = 2


def never_delivered(evidence: Evidence) -> None:
    paid(evidence).events[-1]["dueAt"] = 1


@pytest.mark.parametrize(
    ("doctor", "invariant"),
    [
        (second_charge, "I1"),
        (lost, "I2"),
        (stuck, "I2"),
        (restless, "I2"),
        (other_amount, "I3"),
        (no_charge, "I3"),
        (charged_failure, "I3"),
        (missing_event, "I4"),
        (altered_event, "I4"),
        (other_head, "I4"),
        (unannounced, "I16"),
        (announced_out_of_turn, "I16"),
        (never_delivered, "I16"),
        (forbidden_step, "I5"),
        (reopened_attempt, "I5"),
        (change_last(version=99), "I5"),
        (change_last(amount=1), "I5"),
        (two_bodies, "I6"),
        (refused_for_nothing, "I6"),
        (two_ids, "I7"),
        (key_not_stored, "I8"),
        (two_open_attempts, "I9"),
        (taken_reference, "I10"),
        (foreign_answer, "I11"),
        (logged_token, "I12"),
        (stored_secret, "I12"),
        (too_many_calls, "I13"),
        (old_epoch_writes, "I15"),
        (change_last(lease={"owner": "x", "epoch": 1, "expiresAt": 1}), "I15"),
        (defect, "DEFECT"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_doctored_run_is_found(doctor: Callable[[Evidence], None], invariant: str, evidence: Evidence) -> None:
    doctor(evidence)
    assert invariant in found(evidence)


def test_every_invariant_has_a_name_and_a_reason() -> None:
    for invariant in INVARIANTS:
        assert invariant.__doc__
    assert str(Violation("I1", "pay", "twice")) == "I1 pay: twice"
