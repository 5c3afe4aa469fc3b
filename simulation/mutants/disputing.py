"""Broken designs of disputes."""

from typing import Final

from payflowx.adapters.dynamodb.payments import open_disputes
from payflowx.application.disputes.warn_of_deadlines import WarnOfDeadlines
from payflowx.application.inbound_webhooks.match_event import MatchEvent
from payflowx.application.payments import status_metrics
from payflowx.domain.payments import balances, change, dispute, state_machine
from payflowx.providers.cashfree import disputes as cashfree_disputes
from payflowx.providers.payu import disputes as payu_disputes
from payflowx.providers.razorpay import webhooks as razorpay_webhooks
from payflowx.providers.stripe import disputes as stripe_disputes
from simulation.mutants.mutant import Edit, Mutant, broken

_ROOM: Final = "disputes"
_SCENARIO: Final = "disputes"
_NOT_CHECKED: Final = Edit(
    balances, "check_balance", 'raise InvariantError("the change breaks', 'return None or str("the change breaks'
)

DISPUTING: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "an older report of a dispute replaces a newer one",
        Edit(dispute, "_is_newer", "return _order(said) > _order(known)", "return True"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a report of a dispute has our time where our clock is behind",
        Edit(state_machine, "record_dispute", "context.now_ms + REPORT_AHEAD_MS", "context.now_ms"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a late report does not tell when the dispute began",
        Edit(dispute, "_with_report", "min(known.opened_at_ms, said.opened_at_ms)", "known.opened_at_ms"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a late report of a dispute does not tell the deadline that no other one named",
        Edit(dispute, "_with_report", "in (known, said) if", "in (known, last) if"),
        scenario="forgotten_disputes",
    ),
    broken(
        _ROOM,
        "a report of a dispute without a deadline takes the known one away",
        Edit(
            dispute,
            "_with_report",
            "in (known, said) if",
            "in (last,) if",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "the earliest deadline of a dispute counts, and not the one that was named last",
        Edit(
            dispute, "_order_of_deadline", "return dispute.due_reported_at_ms or dispute.reported_at_ms,", "return 0,"
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "each report of an ended dispute tells its end",
        Edit(
            dispute,
            "dispute_event_type",
            "if after.state in ENDED_STATES and (before is None or before.state is not after.state):",
            "if after.state in ENDED_STATES:",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a dispute that goes on after its end is told as an update",
        Edit(dispute, "dispute_event_type", "is_opened = before is None or", "is_opened = before is None or False and"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a second dispute of a charge is taken for the first",
        Edit(
            dispute,
            "with_report",
            "(d.provider, d.reference) == (provider, report.reference)",
            "d.provider == provider",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a lost dispute is booked as a refund",
        _NOT_CHECKED,
        Edit(
            state_machine,
            "record_dispute",
            "after = replace(payment, disputes=disputes)",
            "given = min(payment.refundable, dispute.amount) if dispute.state.value == 'LOST' else 0\n"
            "    after = replace(payment, disputes=disputes, refundable=payment.refundable - given,\n"
            "                    refunded=payment.refunded + given)",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a disputed payment is due again",
        Edit(
            state_machine,
            "record_dispute",
            "after = replace(payment, disputes=disputes)",
            "after = replace(payment, disputes=disputes, due_at_ms=context.now_ms)",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a dispute is not told to the merchant",
        Edit(state_machine, "record_dispute", ", announced_as=event_type", ""),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an erased payment gets a provider's words about a dispute",
        Edit(change, "change_of", "if before.erased:", "if before.erased and not announced_as:"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an ended dispute stays on the list of open ones",
        Edit(
            open_disputes,
            "listed",
            "dispute.evidence_due_at_ms if dispute.awaits_evidence else None",
            "dispute.evidence_due_at_ms",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "the warning of disputes counts deadlines that are over",
        Edit(WarnOfDeadlines, "_near", "from_ms=now_ms + 1", "from_ms=0"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "the warning of a dispute comes a day before its deadline",
        Edit(WarnOfDeadlines, "_near", "until_ms=now_ms + _WARNING_MS", "until_ms=now_ms + _WARNING_MS // 3"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "each report of a dispute counts as a new one",
        Edit(
            status_metrics,
            "count_change",
            'change.dispute is not None and change.event.type.endswith(".opened")',
            "change.dispute is not None",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a dispute is looked up by the charge's id alone",
        Edit(razorpay_webhooks, "_key_beside", "return noted_key(payment) if", "return None if"),
        Edit(MatchEvent, "_charge_owner", "if parsed is None:", "if parsed is None or inbound.provider_event.dispute:"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an event of a dispute is only a hint",
        Edit(stripe_disputes, "dispute_report", "if state is None:", "if state is not None:"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "Cashfree's times of disputes are read as UTC",
        Edit(
            cashfree_disputes,
            "_time",
            "(at if at.tzinfo else at.replace(tzinfo=_INDIA)).timestamp()",
            "at.replace(tzinfo=timezone(timedelta())).timestamp()",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "PayU's reports of disputes count as signed",
        Edit(payu_disputes, "report_of", "is_signed=False", "is_signed=True"),
        scenario=_SCENARIO,
    ),
)
