"""The first step of a payment or operation after a restore: what became of it in the forgotten time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from payflowx.application.payments.new_attempts import request_hash_of
from payflowx.application.payments.search_forgotten import SearchForgotten
from payflowx.application.payments.work_items import WorkItems
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.checkout import facts_of_forgotten
from payflowx.domain.payments.not_sent import reopened
from payflowx.domain.payments.payment import Candidate
from payflowx.domain.payments.ports import Stored
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.payments.restored import (
    forgotten_attempt,
    may_send_after,
    postponed,
    searched,
    sent_before,
)
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock, Deadline, Telemetry
from payflowx.domain.shared.backoff import search_delay_ms
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStored:
    """The search's result is stored, or another worker was faster. `go_on`: the item's own step follows at once."""

    go_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenAttempt:
    """The attempt that the item gets, as its claim stores it: its request may have left before the restore."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradicted:
    """The provider knows a later attempt than this one, which is open here: a person decides what was charged."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRestored:
    """Sends nothing. Safe to repeat, and to run side by side: each write requires the version that was read."""

    items: WorkItems
    providers: Providers
    search_forgotten: SearchForgotten
    clock: Clock
    telemetry: Telemetry

    def search(
        self, item: WorkItem, merchant: Merchant, deadline: Deadline
    ) -> SearchStored | ForgottenAttempt | Contradicted:
        """Ask the providers, and store that nothing was forgotten; else return the attempt to be stored."""
        window = merchant.restored
        if window is None:
            raise ConfigurationError("there was no restore")
        search = self.search_forgotten(item, merchant, window, deadline)
        owner, now_ms = item.owner, self.clock.now_ms()
        self.telemetry.info(
            "searched after the restore",
            transactionId=item.payment.transaction_id,
            isFound=search.found is not None,
            isProven=search.proven,
            isComplete=search.complete,
        )
        if not search.complete and now_ms < _last_search_ms(item, window):
            self.items.reschedule(owner, postponed(owner, _next_search_ms(item, window, now_ms), now_ms))
            return SearchStored(go_on=False)
        open_attempt = next((attempt for attempt in owner.attempts if attempt.is_open), None)
        is_proven = may_send_after(item, window, search)
        if is_proven or (open_attempt is not None and search.found is None):
            stored = self.items.reschedule(owner, searched(owner, window, now_ms, is_proven=is_proven))
            return SearchStored(go_on=isinstance(stored, Stored))
        if open_attempt is not None:
            return Contradicted(attempt=open_attempt)
        number, candidate = forgotten_attempt(item, search)
        return ForgottenAttempt(attempt=self._forgotten(item, number, candidate, window, now_ms))

    def _forgotten(
        self, item: WorkItem, number: int, candidate: Candidate, window: RestoreWindow, now_ms: int
    ) -> Attempt:
        """Return the next attempt, or one that was not sent as far as is known, as one that may have been sent.

        The search stops at the first key that a provider knows: those after it may have been used as well. So another
        search follows once this attempt has ended without a charge.
        """
        owner, epoch = item.owner, item.owner.lease.epoch + 1
        unsent = next((a for a in owner.attempts if a.number == number), None)
        if unsent is not None:
            attempt = reopened(unsent, epoch=epoch, now_ms=now_ms)
        else:
            attempt = self._unknown_until_now(item, number, candidate, epoch, now_ms)
        return sent_before(attempt, window, search_follows=True)

    def _unknown_until_now(self, item: WorkItem, number: int, candidate: Candidate, epoch: int, now_ms: int) -> Attempt:
        attempt = Attempt(
            number=number,
            provider=candidate.provider,
            account_id=candidate.account_id,
            provider_key=derive_provider_key(item.owner_id.operation_id or item.payment.transaction_id, number),
            request_hash="",
            epoch=epoch,
            started_at_ms=now_ms,
            progress=self._facts(item, candidate, now_ms),
        )
        return replace(attempt, request_hash=request_hash_of(item, attempt, self.providers.get(attempt.provider)))

    def _facts(self, item: WorkItem, candidate: Candidate, now_ms: int) -> Mapping[str, str]:
        """Return the facts with which a checkout's attempt begins; every other attempt begins without any."""
        checkout = item.payment.checkout if item.operation is None else None
        hosted = self.providers.get(candidate.provider).capabilities.hosted
        if checkout is None or hosted is None:
            return {}
        number = len(item.payment.attempts) + 1
        return facts_of_forgotten(checkout, candidate.provider, hosted, number=number, now_ms=now_ms)


def _next_search_ms(item: WorkItem, window: RestoreWindow, now_ms: int) -> int:
    """Return when an incomplete search is repeated: at the latest when its last time has come."""
    begun_ms = max(window.recorded_at_ms, item.owner.created_at_ms)
    if item.operation is None and item.payment.checkout is not None:
        begun_ms = max(begun_ms, item.payment.checkout.expires_at_ms)
    return min(now_ms + search_delay_ms(now_ms - begun_ms), _last_search_ms(item, window))


def _last_search_ms(item: WorkItem, window: RestoreWindow) -> int:
    """Return the time after which an incomplete search is not repeated: a day after it can have begun, or nearly so.

    The deadline may be over when the restore ends. The search for a checkout whose payer does not come back begins
    when nothing may be sent any more: at its expiry.
    """
    after_restore_ms = window.recorded_at_ms + DAY_MS
    if item.operation is not None:
        return max(item.operation.send_deadline_ms, after_restore_ms)
    after_expiry_ms = DAY_MS if item.payment.checkout is not None else 0
    return max(item.payment.charge_deadline_ms + after_expiry_ms, after_restore_ms)
