"""Operators' records of a restore of the tables, from the stop of the deployment until it is open again."""

from dataclasses import dataclass, replace

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.ports import Payments
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.payments.restored import raise_numbers
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError, UnreadableItemError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES, MINUTE_MS

CONFIGURATION_FORGOTTEN_MS = 2 * MINUTE_MS
"""Longer than any function keeps the merchants' configuration, with which it reads the recorded restore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedNumbers:
    """A payment of the forgotten time: the last numbers of its audit log and of its merchant events then."""

    merchant_id: str
    transaction_id: str
    seq: int
    number: int
    erased: bool = False
    """Its personal data were erased in that time, and are there again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRestore:
    """Raises `Refusal` (`span_invalid`). Idempotent. Only while all sources of work are off."""

    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(
        self, restored_to_ms: int, stopped_at_ms: int, operator_action: OperatorAction, *, orders_known: bool
    ) -> RestoreWindow:
        """Record the window. From now on, nothing that it concerns is sent before the providers were asked."""
        now_ms = self.clock.now_ms()
        if not 0 < restored_to_ms < stopped_at_ms <= now_ms:
            raise Refusal("span_invalid", "The tables were restored to a time before the stop, and the stop is over.")
        known = self.merchant_directory.restore_window()
        window = RestoreWindow(
            restored_to_ms=restored_to_ms,
            stopped_at_ms=stopped_at_ms,
            recorded_at_ms=now_ms,
            orders_known=orders_known,
        )
        if known is not None and known == replace(window, recorded_at_ms=known.recorded_at_ms):
            return known
        self._store(window, "restore.recorded", operator_action)
        return window

    def open(self, operator_action: OperatorAction) -> RestoreWindow:
        """Record the opening, right before the sources are switched on.

        Raises `Refusal` (`no_restore`, `too_early`).
        """
        window, now_ms = self.merchant_directory.restore_window(), self.clock.now_ms()
        if window is None:
            raise Refusal("no_restore", "No restore is recorded.")
        if window.opened_at_ms is not None:
            return window
        if now_ms < window.recorded_at_ms + CONFIGURATION_FORGOTTEN_MS:
            raise Refusal("too_early", "A function may not know the restore yet. Try again in two minutes.")
        opened = replace(window, opened_at_ms=now_ms)
        self._store(opened, "restore.opened", operator_action)
        return opened

    def _store(self, window: RestoreWindow, action: str, operator_action: OperatorAction) -> None:
        facts = {
            "restoredToMs": window.restored_to_ms,
            "stoppedAtMs": window.stopped_at_ms,
            "ordersKnown": window.orders_known,
        }
        record = AuditEntry(action=action, at_ms=self.clock.now_ms(), operator_action=operator_action, facts=facts)
        if not self.merchant_directory.set_restore_window(window, record):
            raise StorageUnavailableError("the restore could not be recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseEventNumbers:
    """For a payment of which something was forgotten. Idempotent. Raises `Refusal` (`no_restore`)."""

    merchant_directory: MerchantDirectory
    payments: Payments
    outcome_writer: OutcomeWriter
    clock: Clock
    policy: RetryPolicy

    def __call__(self, used: UsedNumbers, operator_action: OperatorAction) -> bool:
        """Return whether the payment's next event has a number above those that were used.

        It has none if the payment is forgotten, or written by a release that this one cannot read.
        """
        window = self.merchant_directory.restore_window()
        if window is None:
            raise Refusal("no_restore", "No restore is recorded.")
        for _ in range(MAX_COMMIT_TRIES):
            try:
                payment = self.payments.get(used.merchant_id, used.transaction_id)
            except UnreadableItemError:
                return False
            if payment is None:
                return False
            if payment.event_seq > used.seq:
                return True
            context = Context(
                now_ms=self.clock.now_ms(), actor="operator", policy=self.policy, evidence=operator_action.facts()
            )
            change = raise_numbers(payment, window, context, used_seq=used.seq, used_number=used.number)
            if self.outcome_writer.commit(change) is not None:
                return True
        raise StorageUnavailableError("the payment kept changing")
