"""Every key begins with the merchant that owns the item; nothing can be read across merchants by accident."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from payflowx.domain.outbound_webhooks.merchant_events import event_id
from payflowx.domain.payments.ports import AnyDue, Due, DueKind, UnknownDue
from payflowx.domain.payments.work_item import OwnerId
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind

SCHEMA_VERSION: Final = 1
PAYMENT: Final = "PAYMENT"
REFERENCE: Final = "REFERENCE"
LOCATOR: Final = "OPERATION"
ORDER: Final = "ORDER"
SEEN: Final = "SEEN"
RUN: Final = "RUN"
LISTED: Final = "LISTED"
FINDING_PREFIX: Final = "FINDING#"
_EVENT_PREFIX: Final = "EVENT#"
OPERATION_PREFIX: Final = "OP#"
DISPUTE_PREFIX: Final = "DISPUTE#"
LAST_EVENT: Final = f"{_EVENT_PREFIX}999999"
_DUE_PREFIXES: Final = {OPERATION_PREFIX: DueKind.OPERATION, _EVENT_PREFIX: DueKind.EVENT}
_PAYMENT_PARTITION: Final = re.compile(r"M#(?P<merchant>[^#]+)#P#(?P<payment>[^#]+)")
"""Merchant ids hold no `#`."""


def payment_partition(merchant_id: str, transaction_id: str) -> str:
    """The collection of a payment: the aggregate, its events and its operations."""
    return f"M#{merchant_id}#P#{transaction_id}"


def payment_key(merchant_id: str, transaction_id: str) -> dict[str, str]:
    """The aggregate itself."""
    return {"pk": payment_partition(merchant_id, transaction_id), "sk": PAYMENT}


def parse_payment_partition(pk: str) -> tuple[str, str]:
    """Return merchant and transaction of a collection. Raises `ValueError` for another kind of partition."""
    owner = _PAYMENT_PARTITION.fullmatch(pk)
    if owner is None:
        raise ValueError("not the partition of a payment")
    return owner["merchant"], owner["payment"]


def event_sort(seq: int) -> str:
    """Events sort by their number."""
    return f"{_EVENT_PREFIX}{seq:06d}"


def event_key(merchant_id: str, transaction_id: str, seq: int) -> dict[str, str]:
    """An event of a payment's audit log."""
    return {"pk": payment_partition(merchant_id, transaction_id), "sk": event_sort(seq)}


def operation_key(merchant_id: str, transaction_id: str, operation_id: str) -> dict[str, str]:
    """A capture, void or refund, beside its payment."""
    return {"pk": payment_partition(merchant_id, transaction_id), "sk": f"{OPERATION_PREFIX}{operation_id}"}


def dispute_key(merchant_id: str, transaction_id: str, provider: str, reference: str) -> dict[str, str]:
    """The entry of a dispute in the list of open disputes, beside its payment."""
    return {"pk": payment_partition(merchant_id, transaction_id), "sk": f"{DISPUTE_PREFIX}{provider}#{reference}"}


def endpoints_partition(merchant_id: str) -> str:
    """A merchant's webhook endpoints. Not the merchant's own partition, which every function reads."""
    return f"E#{merchant_id}"


def locator_key(merchant_id: str, operation_id: str) -> dict[str, str]:
    """Tells the payment of an operation whose id alone is known, as a provider's list or webhook gives it."""
    return {"pk": f"M#{merchant_id}#O#{operation_id}", "sk": LOCATOR}


def owner_key(owner_id: OwnerId) -> dict[str, str]:
    """The item of a payment or of an operation."""
    of_payment = (owner_id.merchant_id, owner_id.transaction_id)
    return operation_key(*of_payment, owner_id.operation_id) if owner_id.operation_id else payment_key(*of_payment)


def seen_key(merchant_id: str, provider: str, account_id: str, event_id: str) -> dict[str, str]:
    """A webhook that was applied. Release 0.2.0 left the merchant out; its items expire after 60 days."""
    return {"pk": f"W#{_of_merchant(merchant_id, provider, account_id)}#{event_id}", "sk": SEEN}


def catch_up_key(merchant_id: str, endpoint_id: str) -> dict[str, str]:
    """The search for the events that an endpoint missed.

    Release 0.2.0 fails on a due item that is not named like one of a payment. It takes this one for an event of a
    payment named like the endpoint, finds that it is not announced, and goes on. No event has the number 0.
    """
    return event_key(merchant_id, endpoint_id, 0)


def parse_due_key(pk: str, sk: str, due_at_ms: int) -> AnyDue:
    """The due item that lies under this key."""
    kind, item_id = _due_kind(sk)
    owner = _PAYMENT_PARTITION.fullmatch(pk)
    if kind is None or owner is None:
        return UnknownDue(partition=pk, sort=sk, due_at_ms=due_at_ms)
    if sk == event_sort(0):
        endpoint_id = owner["payment"]
        return Due(
            merchant_id=owner["merchant"],
            transaction_id="",
            due_at_ms=due_at_ms,
            kind=DueKind.CATCH_UP,
            item_id=endpoint_id,
        )
    return Due(
        merchant_id=owner["merchant"],
        transaction_id=owner["payment"],
        due_at_ms=due_at_ms,
        kind=kind,
        item_id=item_id,
    )


def _due_kind(sk: str) -> tuple[DueKind | None, str]:
    if sk == PAYMENT:
        return DueKind.PAYMENT, ""
    for prefix, kind in _DUE_PREFIXES.items():
        if sk.startswith(prefix):
            return kind, sk.removeprefix(prefix)
    return None, ""


def due_key(due: AnyDue) -> dict[str, str]:
    """The item that is due."""
    if isinstance(due, UnknownDue):
        return {"pk": due.partition, "sk": due.sort}
    match due.kind:
        case DueKind.PAYMENT:
            return payment_key(due.merchant_id, due.transaction_id)
        case DueKind.OPERATION:
            return operation_key(due.merchant_id, due.transaction_id, due.item_id)
        case DueKind.EVENT:
            pk = payment_partition(due.merchant_id, due.transaction_id)
            return {"pk": pk, "sk": f"{_EVENT_PREFIX}{due.item_id}"}
        case DueKind.CATCH_UP:
            return catch_up_key(due.merchant_id, due.item_id)


def due_id(due: AnyDue) -> str:
    """The id by which a due item gets its shard."""
    if isinstance(due, UnknownDue):
        return due.partition
    match due.kind:
        case DueKind.PAYMENT:
            return due.transaction_id
        case DueKind.EVENT:
            return event_id(due.transaction_id, int(due.item_id))
        case DueKind.OPERATION | DueKind.CATCH_UP:
            return due.item_id


def order_key(merchant_id: str, order_hash: str) -> dict[str, str]:
    """A merchant's order, by its pseudonym."""
    return {"pk": f"M#{merchant_id}#ORDER#{order_hash}", "sk": ORDER}


def reference_key(provider: str, account_id: str, reference: str) -> dict[str, str]:
    """A provider's id of a charge; the first merchant whose account of this name tells it owns it here."""
    return {"pk": f"R#{provider}#{account_id}#{reference}", "sk": REFERENCE}


def own_reference_key(merchant_id: str, provider: str, account_id: str, reference: str) -> dict[str, str]:
    """A provider's id that another merchant's account of the same name has told before."""
    return {"pk": f"R#{_of_merchant(merchant_id, provider, account_id)}#{reference}", "sk": REFERENCE}


def run_key(run_id: str) -> dict[str, str]:
    """A reconciliation; what it found lies in the same collection."""
    return {"pk": f"Q#{run_id}", "sk": RUN}


def finding_key(run_id: str, name: str) -> dict[str, str]:
    """A difference that a reconciliation found, by what it is about."""
    return {"pk": f"Q#{run_id}", "sk": f"{FINDING_PREFIX}{name}"}


def listed_key(merchant_id: str, source: str, provider: str, account_id: str, reference: str) -> dict[str, str]:
    """A charge that a provider's report or file was seen to hold."""
    return {"pk": f"S#{source}#{_of_merchant(merchant_id, provider, account_id)}#{reference}", "sk": LISTED}


def listed_key_before(source: str, provider: str, account_id: str, reference: str) -> dict[str, str]:
    """The key of release 0.2.0, which left the merchant out; its items expire after 60 days."""
    return {"pk": f"S#{source}#{provider}#{account_id}#{reference}", "sk": LISTED}


def _of_merchant(merchant_id: str, provider: str, account_id: str) -> str:
    """An account's name is unique within its merchant only. No provider is named `M`."""
    return f"M#{merchant_id}#{provider}#{account_id}"


def idempotency_partition(merchant_id: str, idempotency_key: str) -> str:
    """A merchant's key for creating a payment."""
    return f"M#{merchant_id}#payments#{idempotency_key}"


def operation_idempotency_partition(merchant_id: str, kind: OperationKind, idempotency_key: str) -> str:
    """A merchant's key for a capture, void or refund; each kind has keys of its own."""
    return f"M#{merchant_id}#{kind}s#{idempotency_key}"


def due_shard_name(shard: int) -> str:
    """The partition key of a shard of the due index."""
    return f"due#{shard:02d}"


def reviews_of(merchant_id: str) -> str:
    """The partition of the index of reviews that holds this merchant's."""
    return f"M#{merchant_id}"


def disputes_of(merchant_id: str) -> str:
    """The partition of the same index that holds this merchant's open disputes."""
    return f"D#{merchant_id}"


def owed_charges_of(merchant_id: str) -> str:
    """The partition of the same index that holds this merchant's payments with extra charges to be refunded."""
    return f"E#{merchant_id}"


def dispute_sort(evidence_due_at_ms: int, transaction_id: str, reference: str) -> str:
    """Within a merchant, the earliest deadline first."""
    return f"{evidence_due_at_ms:013d}#{transaction_id}#{reference}"


def review_sort(since_ms: int, item_id: str) -> str:
    """Within a merchant, the oldest review first; ids of payments and operations differ."""
    return f"{since_ms:013d}#{item_id}"


def day_of(at_ms: int) -> str:
    """The UTC day of a time, as 2026-11-23."""
    return _day(at_ms // DAY_MS)


@lru_cache(maxsize=1024)
def _day(number: int) -> str:
    """Every write of a payment names its day, and few days are asked for."""
    return datetime.fromtimestamp(number * DAY_MS / SECOND_MS, UTC).strftime("%Y-%m-%d")


def merchant_day(merchant_id: str, day: str) -> str:
    """The payments that a merchant created on a day: the first partition of them."""
    return f"M#{merchant_id}#P#{day}"


def merchant_events_day(merchant_id: str, day: str) -> str:
    """The events that a merchant was told of on a day: the first partition of them."""
    return f"M#{merchant_id}#E#{day}"


def merchant_day_sort(at_ms: int, item_id: str) -> str:
    """Within a day, by time and id."""
    return f"{at_ms:013d}#{item_id}"


def id_in(merchant_day_sort: str) -> str:
    """The id that a sort key of a merchant's day ends with."""
    return merchant_day_sort.partition("#")[2]
