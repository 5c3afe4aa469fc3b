"""Broken designs of a restored deployment."""

from typing import Final

from payflowx.adapters.dynamodb.merchants import configuration
from payflowx.application.payments import confirm_authorization
from payflowx.application.payments.resume_restored import ResumeRestored
from payflowx.application.payments.search_forgotten import SearchForgotten
from payflowx.domain.outbound_webhooks import merchant_events
from payflowx.domain.payments import restored, state_machine
from payflowx.domain.payments.restore_window import RestoreWindow
from simulation.mutants.mutant import Edit, Mutant, broken

_ROOM: Final = "recovery"

RESTORING: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "after a restore, first sends without an inquiry",
        Edit(restored, "needs_search", "if window is None or", "if True or window is None or"),
        scenario="forgotten_payments",
    ),
    broken(
        _ROOM,
        "the window of a restore is forgotten",
        Edit(
            configuration,
            "for_everyone",
            "ForEveryone(disabled=switched_off(items), restored=restored)",
            "ForEveryone(disabled=switched_off(items))",
        ),
        scenario="forgotten_payments",
    ),
    broken(
        _ROOM,
        "after a restore, every look-up is believed as a proof",
        Edit(
            SearchForgotten,
            "__call__",
            "proven = proven and (able.absence_is_proof or is_whole_list)",
            "proven = proven and (able is not None or is_whole_list)",
        ),
        scenario="forgotten_payments",
    ),
    broken(
        _ROOM,
        "keys that come again after a restore are not inquired about",
        Edit(
            RestoreWindow,
            "concerns",
            "return until_ms is None or created_at_ms < until_ms",
            "return created_at_ms < self.restored_to_ms",
        ),
        scenario="forgotten_payments",
    ),
    broken(
        _ROOM,
        "after a restore, only the next number is inquired about",
        Edit(
            restored,
            "keys_in_question",
            "range(len(owner.attempts) + 1, last + 1)",
            "range(len(owner.attempts) + 1, len(owner.attempts) + 2)",
        ),
        scenario="forgotten_payments",
    ),
    broken(
        _ROOM,
        "after a restore, a key that comes again is looked for in its new route only",
        Edit(restored, "is_routed_anew", "return payment.created_at_ms > window.restored_to_ms", "return False"),
        scenario="forgotten_payments",
    ),
    broken(
        _ROOM,
        "after a restore, event numbers start again",
        Edit(restored, "raise_numbers", "event_seq=max(payment.event_seq, used_seq)", "event_seq=payment.event_seq"),
        scenario="restores",
    ),
    broken(
        _ROOM,
        "after a restore, a repeated command notifies merchants again",
        Edit(merchant_events, "restored_event", "str(forgotten.until_ms))", "str(now_ms))"),
        scenario="restores",
    ),
    broken(
        _ROOM,
        "after a restore, an order that looks free is charged",
        Edit(restored, "may_send_after", "and not is_order_unsure", ""),
        scenario="forgotten_orders",
    ),
    broken(
        _ROOM,
        "after a restore, a search that proves nothing is not repeated behind an open attempt",
        Edit(ResumeRestored, "search", "is_proven=is_proven", "is_proven=True"),
    ),
    broken(
        _ROOM,
        "after a restore, a search that found an attempt is not repeated behind it",
        Edit(ResumeRestored, "_forgotten", "search_follows=True", "search_follows=False"),
        scenario="restores",
    ),
    broken(
        _ROOM,
        "after a restore, another search follows an authorization that was released",
        Edit(state_machine, "_uncharged", "and not was_authorized and not", "and not"),
        scenario="forgotten_holds",
    ),
    broken(
        _ROOM,
        "after a restore, a late authorization is captured although a later key is known",
        Edit(confirm_authorization, "_may_have_followers", "return attempt.is_open and", "return False and"),
        scenario="late_holds",
    ),
)
