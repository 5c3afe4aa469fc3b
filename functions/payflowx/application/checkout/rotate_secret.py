"""A new secret for checkout addresses. The addresses that exist stay valid until they expire."""

from dataclasses import dataclass
from typing import Final

from payflowx.domain.checkout.signing_secret import SigningSecret
from payflowx.domain.merchants.directory import AuditEntry, AuditLog
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.checkout import MAX_LIFETIME_SECONDS, SHOWN_AFTER_MS
from payflowx.domain.shared.ambient import Clock, Randomness
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS

MIN_INTERVAL_MS: Final = MAX_LIFETIME_SECONDS * SECOND_MS + SHOWN_AFTER_MS + DAY_MS
"""Two versions are valid. An address lives for 31 days at most; the last day covers the instances' caches."""
_SECRET_CHARS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateCheckoutSecret:
    """Raises `Refusal` (`rotated_lately`)."""

    secret: SigningSecret
    audit_log: AuditLog
    clock: Clock
    randomness: Randomness

    def __call__(self, operator_action: OperatorAction) -> int:
        """Rotate the secret; return the time from which it may be rotated again, in milliseconds since 1970."""
        now_ms, current = self.clock.now_ms(), self.secret.current()
        free_at_ms = current.created_at_ms + MIN_INTERVAL_MS
        if now_ms < free_at_ms:
            days = -(-(free_at_ms - now_ms) // DAY_MS)
            raise Refusal(
                "rotated_lately",
                f"The secret is younger than {MIN_INTERVAL_MS // DAY_MS} days, and addresses that the one before it "
                f"signed may still be open. Rotate it in {days} days.",
            )
        self.audit_log.record(
            AuditEntry(action="checkout.secret_rotated", at_ms=now_ms, operator_action=operator_action)
        )
        if not self.secret.replace(current, self.randomness.secret_text(_SECRET_CHARS)):
            raise Refusal("rotated_lately", "Another operator rotated the secret just now.")
        return now_ms + MIN_INTERVAL_MS
