"""Broken designs of reconciliation: what a report says, and what becomes of it."""

from typing import Final

from payflowx.application.reconciliation import start_reconciliations
from payflowx.application.reconciliation.match_entries import MatchEntries
from payflowx.application.reconciliation.reconcile import Reconcile
from payflowx.application.reconciliation.resolve_discrepancy import ResolveDiscrepancy
from payflowx.domain.reconciliation import matching, run
from simulation.mutants.mutant import Edit, Mutant, broken

RECONCILING: Final[tuple[Mutant, ...]] = (
    broken(
        "reconciliation",
        "our charges are not compared with the report",
        Edit(
            Reconcile,
            "_our_page",
            "for place, (payment, attempt) in enumerate(unlisted)",
            "for place, (payment, attempt) in enumerate(unlisted[:0])",
        ),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "charges that agree are listed as differences",
        Edit(
            matching,
            "_compare",
            "if succeeded:\n        return _MATCHED",
            "if succeeded:\n        return Assessment(result=MatchResult.STATUS)",
        ),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "a run reads half of the range that was asked for",
        Edit(start_reconciliations, "_new", "from_ms=from_ms,", "from_ms=(from_ms + until_ms) // 2,"),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "every line of a report is too young to be a difference",
        Edit(
            MatchEntries,
            "_assess",
            "young=run.source is Source.LIST and entry.at_ms + run.lag_ms > self.clock.now_ms(),",
            "young=True,",
        ),
    ),
    broken(
        "reconciliation",
        "only the first page of a report is read",
        Edit(run, "after_report_page", "if next_cursor is not None:", "if False:"),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "a line of a report closes a charge without an inquiry",
        Edit(
            ResolveDiscrepancy,
            "_ask_and_apply",
            "outcome = self.ask(payment, attempt)",
            "outcome = Succeeded(reference=discrepancy.reference, amount=payment.amount, currency=payment.currency, "
            "merchant_reference=attempt.provider_key)",
        ),
    ),
    broken(
        "reconciliation",
        "a line with another amount starts no review",
        Edit(
            ResolveDiscrepancy,
            "_review",
            "change = review_discrepancy(ledger_entry.payment, discrepancy.result, context, listed=listed)",
            "change = None",
        ),
    ),
    broken(
        "reconciliation",
        "a line with another amount matches",
        Edit(
            matching,
            "_compare",
            "if not _is_expected(entry, ledger_entry) and not _may_be_a_capture(entry, ledger_entry, attempt):",
            "if False:",
        ),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "a line with another amount than a refund has starts no review",
        Edit(
            ResolveDiscrepancy,
            "_review",
            "if operation.status is not OperationStatus.IN_REVIEW:",
            "if False:",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "a line with another amount than a refund has matches",
        Edit(
            matching,
            "_compare",
            "if not _is_expected(entry, ledger_entry) and not _may_be_a_capture(entry, ledger_entry, attempt):",
            "if ledger_entry.operation is None and not _is_expected(entry, ledger_entry) and not _may_be_a_capture(\n"
            "        entry, ledger_entry, attempt\n    ):",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "a refund that is missing here is nobody's difference",
        Edit(
            matching,
            "_unknown",
            "if young:",
            "if young or entry.kind is EntryKind.REFUND:",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "a refund that is missing here is listed, and nobody reads it",
        Edit(
            matching,
            "_action_on",
            "return ResolutionAction.ASK if entry.kind is EntryKind.REFUND and not has_own_key else _REVIEW",
            "return ResolutionAction.NONE if entry.kind is EntryKind.REFUND and not has_own_key else _REVIEW",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "a refund of ours with another amount on a report is a finding that nobody decides",
        Edit(
            matching,
            "_compare",
            "action = ResolutionAction.NONE if _is_decided(entry, ledger_entry, attempt) else _REVIEW",
            "action = _REVIEW if ledger_entry.operation is None and not _is_decided(entry, ledger_entry, attempt) "
            "else ResolutionAction.NONE",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "the findings of a page are not kept",
        Edit(
            Reconcile,
            "_act",
            "self.runs.report(run.run_id, [one.discrepancy for one in differences.values()])",
            "pass",
        ),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "what a report does not list is not charged",
        Edit(
            matching,
            "match_entry",
            "    assessment = _compare(",
            "    return Assessment(result=MatchResult.AMOUNT, action=_REVIEW)\n    assessment = _compare(",
        ),
    ),
    broken(
        "reconciliation",
        "a run that another worker has saved is left to that worker alone",
        Edit(Reconcile, "__call__", "self.queue.send(run_id, delay_seconds=RETRY_SECONDS)", "pass"),
    ),
)
