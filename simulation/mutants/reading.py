"""Broken designs of reads that are not complete: an answer or a report that lacks what is young."""

from typing import Final

from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.application.reconciliation.reconcile import Reconcile
from payflowx.domain.payments.outcome import ConfirmedCancelled, NotFound
from payflowx.domain.payments.refused_send import RefusedSend
from payflowx.domain.reconciliation import matching
from payflowx.providers.payu import operations as payu_operations
from payflowx.providers.payu import responses as payu
from simulation.mutants.mutant import Edit, Mutant, broken

_SCENARIO: Final = "late_reads"

READING: Final[tuple[Mutant, ...]] = (
    broken(
        "inbound_webhooks",
        "hints about closed attempts are dropped",
        Edit(
            ProcessProviderEvent,
            "_inquire_closed",
            "if not attempt.may_prove_late and not _may_be_a_further_charge(inbound, attempt):",
            "if True:",
        ),
        scenario="reviews_beside_late_holds",
    ),
    broken(
        "providers",
        "a charge that PayU's answer lacks was not made",
        Edit(payu, "found", "return NotFound()", "return ConfirmedCancelled()"),
        scenario=_SCENARIO,
        ConfirmedCancelled=ConfirmedCancelled,
    ),
    broken(
        "providers",
        "a refund that PayU's list of actions lacks was not made",
        Edit(
            payu_operations,
            "found",
            "absent = NotFound(complete=True) if history.is_whole",
            'absent = Declined(code="absent") if history.is_whole',
        ),
        scenario=_SCENARIO,
    ),
    broken(
        "payments",
        "the second read after a refusal does not wait for the provider's lag",
        Edit(RefusedSend, "is_proven_by", " and now_ms >= self.at_ms + lag_ms", ""),
        scenario=_SCENARIO,
    ),
    broken(
        "reconciliation",
        "a charge that the report does not list yet is a difference",
        Edit(
            matching,
            "assess_unlisted",
            "if settled_at_ms + time_range.lag_ms > min(now_ms, time_range.listed_until_ms):",
            "if False:",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        "reconciliation",
        "a charge that its report lacks goes to review without an inquiry",
        Edit(
            Reconcile,
            "_unlisted",
            "outcome = self.action.ask(payment, attempt) if may_ask and run.may_act(0)",
            "outcome = NotFound() if may_ask and run.may_act(0)",
        ),
        scenario=_SCENARIO,
        NotFound=NotFound,
    ),
)
