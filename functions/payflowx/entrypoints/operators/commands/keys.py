"""Merchants' API keys."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.application.merchants.api_key_issuer import IssuedKey
from payflowx.domain.merchants.directory import ApiKeyRecord
from payflowx.domain.shared.limits import MAX_KEY_LIFETIME_DAYS, MAX_KEY_OVERLAP_HOURS
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import Command, MerchantId, MutatingCommand
from payflowx.wiring.operators import OperatorsWiring

_KeyId = Annotated[str, Meta(pattern="^key_[0-9a-f]{12}$")]


class ListKeysCommand(Command, tag="list_keys"):
    """Names and fates; a key itself is never told twice."""

    merchant_id: MerchantId


class CreateKeyCommand(MutatingCommand, tag="create_key"):
    """Answers with the API key, this once."""

    merchant_id: MerchantId
    expires_in_days: Annotated[int, Meta(ge=1, le=MAX_KEY_LIFETIME_DAYS)] | None = None


class RotateKeyCommand(MutatingCommand, tag="rotate_key"):
    """Answers with the new API key, this once."""

    merchant_id: MerchantId
    key_id: _KeyId
    overlap_hours: Annotated[int, Meta(ge=0, le=MAX_KEY_OVERLAP_HOURS)] = 24


class RevokeKeyCommand(MutatingCommand, tag="revoke_key"):
    """Ends a key now."""

    merchant_id: MerchantId
    key_id: _KeyId


COMMANDS = (ListKeysCommand, CreateKeyCommand, RotateKeyCommand, RevokeKeyCommand)


def run(
    wired: OperatorsWiring, command: ListKeysCommand | CreateKeyCommand | RotateKeyCommand | RevokeKeyCommand
) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case ListKeysCommand():
            now_ms = wired.platform.clock.now_ms()
            keys = wired.list_keys(command.merchant_id)
            return {"items": [_present(key, now_ms) for key in keys]}
        case CreateKeyCommand():
            return _issued(wired.create_key(command.merchant_id, command.expires_in_days, command.operator_action()))
        case RotateKeyCommand():
            issued = wired.rotate_key(
                command.merchant_id, command.key_id, command.overlap_hours, command.operator_action()
            )
            return _issued(issued)
        case RevokeKeyCommand():
            key = wired.revoke_key(command.merchant_id, command.key_id, command.operator_action())
            return _present(key, wired.platform.clock.now_ms())


def _issued(issued: IssuedKey) -> dict[str, Any]:
    return {"merchantId": issued.stored.merchant_id, "keyId": issued.stored.key_id, "apiKey": issued.api_key}


def _present(key: ApiKeyRecord, now_ms: int) -> dict[str, Any]:
    if key.revoked_at_ms is not None:
        state = "revoked"
    elif key.expires_at_ms is not None and key.expires_at_ms <= now_ms:
        state = "expired"
    else:
        state = "expiring" if key.expires_at_ms is not None else "valid"
    return {
        "keyId": key.key_id,
        "state": state,
        "createdAt": timestamp(key.created_at_ms),
        "expiresAt": timestamp(key.expires_at_ms) if key.expires_at_ms is not None else None,
        "revokedAt": timestamp(key.revoked_at_ms) if key.revoked_at_ms is not None else None,
    }
