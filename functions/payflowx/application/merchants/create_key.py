"""Creation of an additional API key for a merchant."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.application.merchants.api_key_issuer import IssuedKey, issue_key
from payflowx.application.merchants.list_keys import ListKeys
from payflowx.domain.merchants.directory import ApiKeyRecord, AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.ambient import Clock, Randomness
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, MAX_COMMIT_TRIES, MAX_KEYS_PER_MERCHANT


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey:
    """Raises `Refusal` (`not_found`, `too_many_keys`).

    Raises `StorageUnavailableError` when other writers add keys all the time.
    """

    merchant_directory: MerchantDirectory
    list_keys: ListKeys
    clock: Clock
    randomness: Randomness
    api_key_mode: str

    def __call__(self, merchant_id: str, expires_in_days: int | None, operator_action: OperatorAction) -> IssuedKey:
        """Return the key, which is shown this once only."""
        number = next_number(self.list_keys(merchant_id))
        now_ms = self.clock.now_ms()
        expires_at_ms = now_ms + expires_in_days * DAY_MS if expires_in_days is not None else None
        issued = issue_key(self.api_key_mode, merchant_id, self.randomness, now_ms=now_ms, expires_at_ms=expires_at_ms)
        record = AuditEntry(
            action="key.created",
            at_ms=now_ms,
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts={"keyId": issued.stored.key_id},
        )
        for _ in range(MAX_COMMIT_TRIES):
            if self.merchant_directory.add_key(issued.stored, record, number=number):
                return issued
            number = next_number(self.list_keys(merchant_id))
        raise StorageUnavailableError("the merchant's keys kept changing; nothing was written")


def next_number(keys: Sequence[ApiKeyRecord]) -> int:
    """Return the number of the next key beside these. Raises `Refusal` (`too_many_keys`)."""
    if len(keys) >= MAX_KEYS_PER_MERCHANT:
        raise Refusal(
            "too_many_keys",
            f"The merchant has reached the limit of {MAX_KEYS_PER_MERCHANT} API keys, ended ones included.",
        )
    return len(keys) + 1
