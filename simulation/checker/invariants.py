"""The table of all rules. A rule gets the evidence and yields what breaks it."""

from collections.abc import Callable, Iterator
from typing import Final

from simulation.checker.answers import answers_are_stored
from simulation.checker.api_keys import api_keys
from simulation.checker.approvals import two_people
from simulation.checker.asked import accepted_where_allowed, stored_as_asked
from simulation.checker.audit import actors_are_true, operators_are_recorded, reviews_are_shown
from simulation.checker.breakers import breakers
from simulation.checker.checkouts import (
    choices,
    extra_charges,
    i20_one_door,
    looking_changes_nothing,
    owed_charges_are_listed,
    same_bytes,
)
from simulation.checker.deliveries import audience, deliveries
from simulation.checker.disputes import (
    deadlines_are_warned_of,
    disputes_are_announced,
    disputes_are_true,
    disputes_move_nothing,
    lists_show_open_disputes,
    nothing_told_is_lost,
    open_disputes_are_listed,
)
from simulation.checker.endpoints import disabled_for_a_reason, successes_end_failures, tries_keep_their_times
from simulation.checker.events import (
    credentials,
    i19_provider_events,
    rotated_secrets_verify,
    webhooks_are_answered,
)
from simulation.checker.evidence import Evidence, Violation
from simulation.checker.hints import told_holds_are_watched
from simulation.checker.identity import (
    i6_other_body,
    i7_one_id,
    i7_stays_accepted,
    i8_key_stored_first,
    i8_same_bytes,
    i10_made_elsewhere,
    i10_one_operation,
    i10_reference_owner,
)
from simulation.checker.lists import answers_have_their_codes, lists_are_complete, refused_orders_name_their_holder
from simulation.checker.metrics import counts_are_true
from simulation.checker.money import i1_one_charge, i3_not_before_its_time, i3_status_is_truth, i18_balance
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
from simulation.checker.replays import no_run_stands_still, replays_lose_nothing
from simulation.checker.reports import (
    differences_are_true,
    false_amounts_are_found,
    false_refunds_are_reviewed,
    refunds_made_there_are_known,
    unlisted_charges_are_found,
)
from simulation.checker.restores import restored
from simulation.checker.transitions import (
    i5_own_captures,
    i5_transitions,
    i9_one_open_attempt,
    i15_older_epochs,
    unknown_attributes_stay,
    waits_are_kept,
)
from simulation.checker.walls import erasure, i11_nothing_crosses, i12_no_secrets
from simulation.checker.work import (
    due_after_claims,
    i13_bounded_work,
    objects_are_read_again,
    progress_ends_the_count,
    rest,
    wake_ups_of_what_is_due,
    watches_last,
)

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
    i3_not_before_its_time,
    i4_audit_log,
    operators_give_reasons,
    actors_are_true,
    operators_are_recorded,
    reviews_are_shown,
    i5_transitions,
    i5_own_captures,
    unknown_attributes_stay,
    i6_other_body,
    i7_one_id,
    i7_stays_accepted,
    i8_key_stored_first,
    i8_same_bytes,
    i9_one_open_attempt,
    waits_are_kept,
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
    webhooks_are_answered,
    rotated_secrets_verify,
    i20_one_door,
    choices,
    same_bytes,
    looking_changes_nothing,
    extra_charges,
    owed_charges_are_listed,
    answers_are_stored,
    refusals_have_reasons,
    answers_have_their_codes,
    lists_are_complete,
    refused_orders_name_their_holder,
    stored_as_asked,
    accepted_where_allowed,
    credentials,
    deliveries,
    audience,
    tries_keep_their_times,
    disabled_for_a_reason,
    successes_end_failures,
    erasure,
    disputes_are_true,
    disputes_move_nothing,
    disputes_are_announced,
    nothing_told_is_lost,
    open_disputes_are_listed,
    lists_show_open_disputes,
    deadlines_are_warned_of,
    reasons,
    false_amounts_are_found,
    false_refunds_are_reviewed,
    refunds_made_there_are_known,
    unlisted_charges_are_found,
    differences_are_true,
    breakers,
    due_after_claims,
    wake_ups_of_what_is_due,
    progress_ends_the_count,
    restored,
    rest,
    watches_last,
    objects_are_read_again,
    counts_are_true,
    told_holds_are_watched,
    replays_lose_nothing,
    no_run_stands_still,
    api_keys,
    two_people,
    defects,
)
"""I14, that a seed gives one history, is checked by running seeds twice."""


def violations(evidence: Evidence) -> list[Violation]:
    """All that is wrong, in the order of the invariants."""
    return [violation for invariant in INVARIANTS for violation in invariant(evidence)]


def first_violation(evidence: Evidence) -> Violation | None:
    """The first thing that is wrong: enough to know that a design is broken."""
    return next((violation for invariant in INVARIANTS for violation in invariant(evidence)), None)
