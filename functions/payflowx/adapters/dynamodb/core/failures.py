"""The meaning of DynamoDB's errors for the write that caused them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.dynamodb.core.values import Item, from_attributes
from payflowx.domain.shared.errors import StorageUnavailableError

_CONDITION_FAILED: Final = "ConditionalCheckFailed"
_PASSING: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_UNAVAILABLE: Final = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "ServiceUnavailable",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "TransactionInProgressException",
        "TransactionConflictException",
        "ReplicatedWriteConflictException",
        "LimitExceededException",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """A transaction that was refused. `failed` maps the place of a failed condition to the item found there."""

    failed: dict[int, Item | None]
    passing: bool
    """Refused for a conflict or a throttle only: the same write may be tried again."""


def condition_failed(error: ClientError) -> bool:
    """A single write's condition did not hold."""
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


def was_repeated(error: ClientError) -> bool:
    """The SDK has sent the request more than once: an earlier try, whose answer was lost, may have been executed."""
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def is_conflict(error: StorageUnavailableError) -> bool:
    """A single write met a transaction on the same item: it may be tried again at once."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "TransactionConflictException"


def item_found(error: ClientError) -> Item | None:
    """The item that did not meet the condition, where the call asked for it."""
    found: Any = error.response.get("Item")
    return from_attributes(found) if found else None


def cancellation(error: ClientError) -> Cancelled | None:
    """Why a transaction was cancelled; None if the error is something else."""
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        return None
    reasons: Sequence[Mapping[str, Any]] = error.response.get("CancellationReasons", [])
    failed = {
        place: from_attributes(reason["Item"]) if reason.get("Item") else None
        for place, reason in enumerate(reasons)
        if reason.get("Code") == _CONDITION_FAILED
    }
    others = {reason.get("Code", "None") for reason in reasons} - {"None", _CONDITION_FAILED}
    return Cancelled(failed=failed, passing=not failed and bool(others) and others <= _PASSING)


class storage_errors:  # noqa: N801 - used like a function, as `contextlib.suppress` is
    """Turn what passes by itself into `StorageUnavailableError`; let defects (a wrong expression) through.

    A class, because every call of DynamoDB goes through it and a generator costs several times as much.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in _UNAVAILABLE:
            raise StorageUnavailableError("the database did not take the request") from error
        if isinstance(error, BotoCoreError):
            raise StorageUnavailableError("the database did not answer") from error
        return False
