"""Rotation of an API key: the new key works at once, the old one for a limited time."""

from dataclasses import dataclass, replace

from payflowx.application.merchants.api_key_issuer import IssuedKey, issue_key
from payflowx.application.merchants.create_key import next_number
from payflowx.application.merchants.find_key import find_usable_key
from payflowx.application.merchants.list_keys import ListKeys
from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.ambient import Clock, Randomness
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKey:
    """Raises `Refusal` (`not_found`, `key_ended`, `too_many_keys`, `conflict`)."""

    merchant_directory: MerchantDirectory
    list_keys: ListKeys
    clock: Clock
    randomness: Randomness
    api_key_mode: str

    def __call__(self, merchant_id: str, key_id: str, overlap_hours: int, operator_action: OperatorAction) -> IssuedKey:
        """Both keys are valid for `overlap_hours`; an earlier expiry of the old key stays."""
        keys = self.list_keys(merchant_id)
        now_ms = self.clock.now_ms()
        old = find_usable_key(keys, key_id, now_ms)
        number = next_number(keys)
        ends_at_ms = now_ms + overlap_hours * HOUR_MS
        if old.expires_at_ms is not None:
            ends_at_ms = min(ends_at_ms, old.expires_at_ms)
        issued = issue_key(self.api_key_mode, merchant_id, self.randomness, now_ms=now_ms)
        record = AuditEntry(
            action="key.rotated",
            at_ms=now_ms,
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts={"keyId": issued.stored.key_id, "replaces": key_id, "replacedEndsAtMs": ends_at_ms},
        )
        ending = replace(old, expires_at_ms=ends_at_ms)
        if not self.merchant_directory.add_key(issued.stored, record, number=number, replaced=ending):
            raise Refusal("conflict", "Another writer changed the keys at the same time. List them and try again.")
        return issued
