"""Immediate revocation of an API key."""

from dataclasses import dataclass, replace

from payflowx.application.merchants.find_key import find_usable_key
from payflowx.application.merchants.list_keys import ListKeys
from payflowx.domain.merchants.directory import ApiKeyRecord, AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    """Raises `Refusal` (`not_found`, `key_ended`, `conflict`)."""

    merchant_directory: MerchantDirectory
    list_keys: ListKeys
    clock: Clock

    def __call__(self, merchant_id: str, key_id: str, operator_action: OperatorAction) -> ApiKeyRecord:
        """Revoke the key; cached authorizations expire within 60 s."""
        now_ms = self.clock.now_ms()
        key = find_usable_key(self.list_keys(merchant_id), key_id, now_ms)
        revoked = replace(key, revoked_at_ms=now_ms)
        record = AuditEntry(
            action="key.revoked",
            at_ms=now_ms,
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts={"keyId": key_id},
        )
        if not self.merchant_directory.change_key(revoked, record):
            raise Refusal("conflict", "Another writer changed the key at the same time. List the keys and try again.")
        return revoked
