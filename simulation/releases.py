"""A newer release beside the one under test: what it stores has attributes that the older one has never seen.

Its requests to providers differ too, so that what one release began must not be sent again by the other.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from payflowx.domain.shared.transport import HttpRequest
from payflowx.providers.contract import Connector, OperationStep, Step
from payflowx.providers.http_provider import HttpProvider
from payflowx.providers.registry import Registry
from simulation.services import DynamoDBClient

ADDED: Final = "addedLater"
"""The name of every attribute that the newer release adds."""
_VALUE: Final = {"S": "by the newer release"}
UNKNOWN_WORD: Final = "SETTLING"
"""A state of an attempt that only the newer release knows."""
_UNREADABLE: Final = "#P#pay_00000000"
"""Begins the ids of its payments: no derived id holds a zero."""
_SHARDS: Final = range(0, 16, 3)
_NOT_INDEXED: Final = frozenset({"merchantDay", "merchantDaySort", "reviewsOf", "reviewSort", "chargedAttempt"})
_FREE: Final = frozenset({"metadata", "tokens", "progress", "fields"})
"""Attributes whose content has no fixed names: nothing can be added to them."""


@dataclass(frozen=True, slots=True)
class NewerDynamoDBClient(DynamoDBClient):
    """Payments and operations as the newer release stores them."""

    def update_item(self, **request: Any) -> Any:
        return DynamoDBClient.update_item(self, **_newer_update(request))

    def put_item(self, **request: Any) -> Any:
        return DynamoDBClient.put_item(self, **_newer_put(request))

    def transact_write_items(self, **request: Any) -> Any:
        items = [{verb: _newer(verb, action) for verb, action in item.items()} for item in request["TransactItems"]]
        return DynamoDBClient.transact_write_items(self, **{**request, "TransactItems": items})


def _newer(verb: str, action: Mapping[str, Any]) -> Mapping[str, Any]:
    match verb:
        case "Put":
            return _newer_put(action)
        case "Update":
            return _newer_update(action)
        case _:
            return action


def _newer_put(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if not _is_widened(request["Item"]):
        return request
    return {**request, "Item": _widened(request["Item"])}


def _newer_update(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Every map that is stored gets the attribute; the item itself only with a new version."""
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    if not _is_widened(request["Key"]) or "#version" not in names:
        return request
    free = {alias for alias in values if any(f"#{name} = {alias}" in request["UpdateExpression"] for name in _FREE)}
    widened = {alias: value if alias in free else _widened_value(value) for alias, value in values.items()}
    added = f"SET #{ADDED} = :{ADDED}, "
    return {
        **request,
        "UpdateExpression": request["UpdateExpression"].replace("SET ", added, 1),
        "ExpressionAttributeNames": {**names, f"#{ADDED}": ADDED},
        "ExpressionAttributeValues": {**widened, f":{ADDED}": _VALUE},
    }


def _is_widened(key: Mapping[str, Any]) -> bool:
    sort = str(key.get("sk", {}).get("S", ""))
    return sort == "PAYMENT" or sort.startswith("OP#")


def _widened(attributes: Mapping[str, Any]) -> dict[str, Any]:
    inner = {name: value if name in _FREE else _widened_value(value) for name, value in attributes.items()}
    return {**inner, ADDED: _VALUE}


def _widened_value(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if "M" in value:
        return {"M": _widened(value["M"])}
    if "L" in value:
        return {"L": [_widened_value(member) for member in value["L"]]}
    return value


# --- its words


def unreadable_items(model: Mapping[str, Any], now_ms: int) -> Iterator[dict[str, Any]]:
    """In some shards a payment, due now, like the model but for the state of its attempt, which is a new word.

    Beside it lies an item of a kind that is new: no release before can tell whom to wake for it.
    """
    merchant, attempts = model["pk"]["S"].split("#")[1], model["attempts"]["L"]
    newest = {"M": {**attempts[-1]["M"], "state": {"S": UNKNOWN_WORD}}}
    lease = {"owner": {"S": ""}, "epoch": {"N": "1"}, "expiresAt": {"N": "0"}}
    for shard in _SHARDS:
        name = f"pay_00000000{shard:08d}"
        yield {
            **{name: value for name, value in model.items() if name not in _NOT_INDEXED},
            "pk": {"S": f"M#{merchant}#P#{name}"},
            "transactionId": {"S": name},
            "status": {"S": "PENDING"},
            "attempts": {"L": [*attempts[:-1], newest]},
            "lease": {"M": lease},
            "dueShard": {"S": f"due#{shard:02d}"},
            "dueAt": {"N": str(now_ms)},
            "readyAt": {"N": str(now_ms)},
        }
        yield {
            "pk": {"S": f"M#{merchant}#P#{name}"},
            "sk": {"S": f"{UNKNOWN_WORD}#1"},
            "dueShard": {"S": f"due#{shard:02d}"},
            "dueAt": {"N": str(now_ms)},
        }


def is_unreadable(partition: str) -> bool:
    """Whether the partition is that of such a payment, and of such an item."""
    return _UNREADABLE in partition


# --- its requests to providers


RELEASE_HEADER: Final = "x-release"
"""What the newer release adds to each request that charges, captures, voids or refunds."""
_NEWER: Final = "newer"
_COMMANDS: Final = re.compile(rb"command=(verify_payment|check_action_status|get_transaction_info|expire_invoice)\b")
StepLike = TypeVar("StepLike", Step, OperationStep)


def newer_connector(older: Connector) -> Connector:
    """Sends other bytes than the release before, so that what that one began must not be sent again by this one."""
    hosted = older.hosted
    return replace(
        older,
        charge_steps=[_newer_step(step) for step in older.charge_steps],
        hosted=replace(hosted, create=[_newer_step(step) for step in hosted.create]) if hosted else None,
        operation_steps=lambda request: [_newer_step(step) for step in older.operation_steps(request)],
    )


def _newer_step(step: StepLike) -> StepLike:
    def build(request: Any) -> HttpRequest:
        built: HttpRequest = step.build(request)
        return replace(built, headers={**built.headers, RELEASE_HEADER: _NEWER})

    return replace(step, build=build)


def release_of(request: HttpRequest) -> str | None:
    """The release whose bytes the request has; None for a read, and for a cancellation, whose bytes no release changes.

    PayU reads by POST. Stripe voids as it cancels: only the newer release tells these two apart.
    """
    if RELEASE_HEADER in request.headers:
        return _NEWER
    reads = request.method == "GET" or request.path.endswith("/recon") or bool(_COMMANDS.search(request.body))
    return None if reads else ""


class NewerRegistry(Registry):
    """The providers of the newer release."""

    @classmethod
    def of(cls, older: Registry) -> "NewerRegistry":
        """With the same wires."""
        names = ("allowed", "http", "secrets", "clock_ms", "observe")
        return cls(**{name: getattr(older, name) for name in names})

    def get(self, name: str) -> HttpProvider:
        older = super().get(name)
        return replace(older, connector=newer_connector(older.connector))
