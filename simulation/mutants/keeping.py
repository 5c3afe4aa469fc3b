"""Broken designs of merchants' API keys: how they are found, and how they end."""

from typing import Final

from payflowx.adapters.dynamodb.merchants.api_keys import DynamoDBApiKeys
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.application.merchants.authenticate import Authenticate
from payflowx.application.merchants.create_key import CreateKey
from payflowx.application.merchants.rotate_key import RotateKey
from simulation.mutants.mutant import Edit, Mutant, broken

_ROOM: Final = "merchants"
_SCENARIO: Final = "api_keys"

KEEPING: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "a revoked API key works",
        Edit(Authenticate, "__call__", "if found is None or found.revoked:", "if found is None:"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an expired API key works",
        Edit(Authenticate, "__call__", "found.expires_at_ms <= self.clock.now_ms()", "False"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "each API key acts for one merchant",
        Edit(Authenticate, "__call__", "return found.merchant_id", 'return "acme"'),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an API key is looked up in an older copy",
        Edit(DynamoDBApiKeys, "find", "ConsistentRead=True", "ConsistentRead=False"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an API key for a day works for an hour",
        Edit(CreateKey, "__call__", "expires_in_days * DAY_MS", "expires_in_days * DAY_MS // 24"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a rotation ends the old API key at once",
        Edit(RotateKey, "__call__", "now_ms + overlap_hours * HOUR_MS", "now_ms"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a rotation leaves the old API key as it is",
        Edit(DynamoDBMerchantDirectory, "add_key", "if replaced is not None else ()", "if False else ()"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a rotation that comes second moves the end of the API key",
        Edit(DynamoDBMerchantDirectory, "_ended_key", ', lowered="expiresAtMs"', ""),
        scenario=_SCENARIO,
        survives=(
            "A rotation counts the new key, too, on the condition that none was counted since it read their number: of "
            "two rotations at once the second one is refused. One that reads the earlier end keeps it."
        ),
    ),
    broken(
        _ROOM,
        "an API key ends in the operators' list only",
        Edit(
            DynamoDBMerchantDirectory,
            "_ended_key",
            'places = ({"pk": f"K#{key.key_hash}", "sk": KEY}, {"pk"',
            'places = ({"pk"',
        ),
        Edit(DynamoDBMerchantDirectory, "_ended_key", '"sk": key.key_id})', '"sk": key.key_id},)'),
        scenario=_SCENARIO,
    ),
)
