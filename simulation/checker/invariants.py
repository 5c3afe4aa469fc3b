"""The table of all rules. A rule gets the evidence and yields what breaks it."""

from collections.abc import Callable, Iterator
from typing import Final

from simulation.checker.answers import answers_are_stored
from simulation.checker.checkouts import (
    choices,
    extra_charges,
    i20_one_door,
    looking_changes_nothing,
    same_bytes,
)
from simulation.checker.deliveries import audience, deliveries
from simulation.checker.events import credentials, i19_provider_events
from simulation.checker.evidence import Evidence, Violation
from simulation.checker.identity import (
    i6_other_body,
    i7_one_id,
    i8_key_stored_first,
    i10_made_elsewhere,
    i10_one_operation,
    i10_reference_owner,
)
from simulation.checker.metrics import counts_are_true
from simulation.checker.money import i1_one_charge, i3_status_is_truth, i18_balance
from simulation.checker.orders import i17_one_order_one_charge
from simulation.checker.reasons import reasons
from simulation.checker.records import (
    i2_nothing_lost,
    i4_audit_log,
    i16_merchant_events,
    operators_give_reasons,
    reviews_are_listed,
    unknown_words_wait,
)
from simulation.checker.refusals import refusals_have_reasons
from simulation.checker.reports import false_amounts_are_found
from simulation.checker.restores import restored
from simulation.checker.transitions import (
    i5_own_captures,
    i5_transitions,
    i9_one_open_attempt,
    i15_older_epochs,
    unknown_attributes_stay,
)
from simulation.checker.walls import erasure, i11_nothing_crosses, i12_no_secrets
from simulation.checker.work import due_after_claims, i13_bounded_work, rest, wake_ups_of_what_is_due

Invariant = Callable[[Evidence], Iterator[Violation]]


def defects(evidence: Evidence) -> Iterator[Violation]:
    """Not a rule of the design: an exception that nobody foresaw."""
    for what in evidence.result.history.defects[:3]:
        yield Violation("DEFECT", "-", what)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    i1_one_charge,
    i2_nothing_lost,
    reviews_are_listed,
    unknown_words_wait,
    i3_status_is_truth,
    i4_audit_log,
    operators_give_reasons,
    i5_transitions,
    i5_own_captures,
    unknown_attributes_stay,
    i6_other_body,
    i7_one_id,
    i8_key_stored_first,
    i9_one_open_attempt,
    i10_reference_owner,
    i10_one_operation,
    i10_made_elsewhere,
    i11_nothing_crosses,
    i12_no_secrets,
    i13_bounded_work,
    i15_older_epochs,
    i16_merchant_events,
    i17_one_order_one_charge,
    i18_balance,
    i19_provider_events,
    i20_one_door,
    choices,
    same_bytes,
    looking_changes_nothing,
    extra_charges,
    answers_are_stored,
    refusals_have_reasons,
    credentials,
    deliveries,
    audience,
    erasure,
    reasons,
    false_amounts_are_found,
    due_after_claims,
    wake_ups_of_what_is_due,
    restored,
    rest,
    counts_are_true,
    defects,
)
"""I14, that a seed gives one history, is checked by running seeds twice."""


def violations(evidence: Evidence) -> list[Violation]:
    """All that is wrong, in the order of the invariants."""
    return [violation for invariant in INVARIANTS for violation in invariant(evidence)]


def first_violation(evidence: Evidence) -> Violation | None:
    """The first thing that is wrong: enough to know that a design is broken."""
    return next((violation for invariant in INVARIANTS for violation in invariant(evidence)), None)
