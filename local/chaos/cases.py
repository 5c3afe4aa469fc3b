"""After the chaos: waits until everything has ended, then reads all that there is about every payment."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Final

from local.chaos.deliveries import MerchantEvent
from local.chaos.load import Merchant
from local.chaos.operations import Account, Balance, Operation
from local.chaos.result import RESTING, Charge, Seen
from local.environment import LocalEnvironment
from local.seed import MERCHANT_ID

_POLL_SECONDS: Final = 2.0
_AT_ONCE: Final = 4
_UNDECIDED: Final = frozenset({"STARTED", "UNKNOWN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A payment with all that is needed to explain a violation. Holds no token and no personal datum."""

    account: Account
    payment: dict[str, Any]
    operations: list[dict[str, Any]]
    events: list[dict[str, Any]]
    schedule: dict[str, Any]

    @property
    def seen(self) -> Seen:
        """The payment."""
        return self.account.seen

    def as_json(self, ledger: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """With the ledgers' entries about the payment."""
        stem = self.seen.transaction_id.removeprefix("pay_")
        charges = {(e["provider"], e["chargeId"]) for e in ledger if stem in e["reference"]}
        return {
            "payment": self.payment,
            "operations": self.operations,
            "events": self.events,
            "schedule": self.schedule,
            "ledger": [entry for entry in ledger if (entry["provider"], entry["chargeId"]) in charges],
        }


def settle(merchant: Merchant, transaction_ids: Sequence[str], *, seconds: float) -> list[str]:
    """Wait; return the payments that are still open when the time is over. Payers who forgot to approve do it now."""
    deadline = time.monotonic() + seconds
    pending = list(transaction_ids)
    while True:
        pending = [transaction_id for transaction_id in pending if _is_open(merchant, transaction_id)]
        if not pending or time.monotonic() > deadline:
            return pending
        time.sleep(_POLL_SECONDS)


def _is_open(merchant: Merchant, transaction_id: str) -> bool:
    status, payment = merchant.call("GET", f"/payments/{transaction_id}")
    if status == 404:
        return False  # lost; judge() reports it
    if payment.get("status") == "REQUIRES_ACTION" and payment.get("nextAction"):
        merchant.approve(payment)
    if payment.get("status") not in RESTING:
        return True
    operations = merchant.call("GET", f"/payments/{transaction_id}/operations")[1].get("items")
    return operations is None or any(operation["status"] == "PENDING" for operation in operations)


def wait_for_events(merchant: Merchant, *, seconds: float) -> tuple[list[MerchantEvent], list[str]]:
    """All merchant events, when each was posted and accepted or the time is over; and which were redelivered.

    An event that was refused twice is posted again after five minutes and later: those are redelivered on request, as
    a merchant would. One that was never posted at all is left alone: it is a violation.
    """
    deadline, redelivered = time.monotonic() + seconds, dict[str, None]()
    while True:
        events = _events(merchant)
        missing = [event for event in events if not event.is_delivered]
        if not missing or time.monotonic() > deadline:
            return events, list(redelivered)
        for event in missing:
            if event.attempts and event.event_id not in redelivered:
                redelivered[event.event_id] = None
                merchant.call_until_answered("POST", f"/events/{event.event_id}/redeliver")
        time.sleep(_POLL_SECONDS)


def _events(merchant: Merchant) -> list[MerchantEvent]:
    found: list[MerchantEvent] = []
    cursor = ""
    while True:
        _, page = merchant.call_until_answered("GET", f"/events?limit=100{cursor}")
        found += map(MerchantEvent.read, page.get("items", []))
        if not page.get("nextCursor"):
            return found
        cursor = f"&cursor={page['nextCursor']}"


def collect(environment: LocalEnvironment, merchant: Merchant, transaction_ids: Sequence[str]) -> list[Case]:
    """Of every payment that there is."""
    clients = _Clients(environment)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda transaction_id: _case(clients, merchant, transaction_id), transaction_ids)
        return [case for case in found if case is not None]


def charges_in(ledger: Sequence[dict[str, Any]]) -> list[Charge]:
    """Return the charges of a ledger."""
    return [
        Charge(
            provider=entry["provider"],
            reference=entry["reference"],
            amount=entry["amount"],
            currency=entry["currency"],
        )
        for entry in ledger
        if entry["status"] == "charged"
    ]


class _Clients:
    """Made once: making one takes longer than a call."""

    def __init__(self, environment: LocalEnvironment) -> None:
        self._lambda = environment.engine.client("lambda")
        self._dynamodb = environment.engine.client("dynamodb")
        self._operations = environment.outputs["OperationsFunctionName"].partition(":")
        self._table = environment.outputs["TransactionsTableName"]

    def is_whole(self, transaction_id: str) -> bool:
        """As an operator verifies an audit log."""
        command = {"command": "verify_trail", "merchantId": MERCHANT_ID, "transactionId": transaction_id}
        name, _, qualifier = self._operations
        answer = self._lambda.invoke(FunctionName=name, Qualifier=qualifier, Payload=json.dumps(command))
        return bool(json.loads(answer["Payload"].read()).get("whole"))

    def item(self, transaction_id: str, sort_key: str) -> dict[str, Any]:
        """A stored item of a payment."""
        key = {"pk": {"S": f"M#{MERCHANT_ID}#P#{transaction_id}"}, "sk": {"S": sort_key}}
        found: dict[str, Any] = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get(
            "Item", {}
        )
        return found


def _schedule(item: dict[str, Any]) -> dict[str, Any]:
    """When it is due again, and who holds it."""
    return {name: item[name] for name in ("dueAt", "readyAt", "drives", "lease", "version") if name in item}


def _balance(item: dict[str, Any]) -> Balance:
    """An amount of 0 is not stored."""
    names = [field.name for field in fields(Balance)]
    return Balance(**{name: int(item[name]["N"]) for name in names if name in item})


def _operation(clients: _Clients, transaction_id: str, shown: dict[str, Any]) -> Operation:
    item = clients.item(transaction_id, f"OP#{shown['operationId']}")
    return Operation(
        operation_id=shown["operationId"],
        kind=shown["kind"],
        status=shown["status"],
        amount=shown["amount"],
        provider_keys=tuple(attempt["providerKey"] for attempt in shown["attempts"]),
        asked_on=_is_asked_on(shown, _schedule(item)),
    )


def _case(clients: _Clients, merchant: Merchant, transaction_id: str) -> Case | None:
    path = f"/payments/{transaction_id}"
    status, payment = merchant.call_until_answered("GET", path)
    _, answer = merchant.call_until_answered("GET", f"{path}/events?limit=100")
    if status != 200:
        return None
    _, listed = merchant.call_until_answered("GET", f"{path}/operations?limit=100")
    item = clients.item(transaction_id, "PAYMENT")
    operations, schedule = listed.get("items", []), _schedule(item)
    events = answer.get("items", [])
    seen = Seen(
        transaction_id=transaction_id,
        status=payment["status"],
        amount=payment["amount"],
        currency=payment["currency"],
        captured=payment["captured"],
        provider_keys=tuple(attempt["providerKey"] for attempt in payment["attempts"]),
        events=tuple((event["seq"], event["to"]) for event in events),
        chain_whole=clients.is_whole(transaction_id),
        asked_on=_is_asked_on(payment, schedule),
    )
    account = Account(
        seen=seen,
        balance=_balance(item),
        operations=tuple(_operation(clients, transaction_id, shown) for shown in operations),
    )
    return Case(account=account, payment=payment, operations=operations, events=events, schedule=schedule)


def _is_asked_on(payment: dict[str, Any], schedule: dict[str, Any]) -> bool:
    """The outcome is unknown and an inquiry is planned: no minutes of waiting can make such a payment final.

    A provider that can neither cancel nor replay proves nothing, and faults make the pauses between inquiries grow. The
    simulator (`make simulate`) shows that such payments end: it has days.
    """
    if payment["status"] != "PENDING" or not payment["attempts"] or "dueAt" not in schedule:
        return False
    is_undecided = payment["attempts"][-1]["state"] in _UNDECIDED
    return is_undecided and int(schedule["dueAt"]["N"]) > time.time() * 1000
