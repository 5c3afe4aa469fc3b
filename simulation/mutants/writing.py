"""Broken designs of what a payment's writes leave out: due times, attributes, rows, events."""

from dataclasses import replace
from typing import Final

from payflowx.adapters.dynamodb.core import writes
from payflowx.adapters.dynamodb.payments import attempt_store, compact_items, payments
from payflowx.adapters.dynamodb.payments.attempt_store import DynamoDBAttemptStore
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.payments.claim_item import ClaimItem
from simulation.mutants.mutant import Edit, Mutant, broken

_ROOM: Final = "payments"
_BETWEEN: Final = "BETWEEN {expression.value(earliest)} AND {expression.value(latest)}"
_ASKED: Final = Edit(ClaimItem, "__call__", "leaves_due=_is_due_after(lease, job)", "leaves_due=True")

WRITING: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "a claim from a message leaves the due time, whatever it is",
        _ASKED,
        Edit(DynamoDBAttemptStore, "_claim", '[_is_due_after(expression, lease), expression.absent("checkout")]', "[]"),
    ),
    broken(
        _ROOM,
        "a claim from a message leaves a due time that is far away",
        _ASKED,
        Edit(attempt_store, "_is_due_after", _BETWEEN, ">= {expression.value(earliest)}"),
        scenario="slow_providers",
    ),
    broken(
        _ROOM,
        "a claim from a message leaves a due time within its lease",
        _ASKED,
        Edit(attempt_store, "_is_due_after", _BETWEEN, "<= {expression.value(latest)}"),
    ),
    broken(
        _ROOM,
        "a transaction that was throttled counts as written",
        Edit(
            writes,
            "transact",
            "return _named(cancelled, [part for part, _ in parts])",
            "return None if 'ThrottlingError' in str(error) else _named(cancelled, [part for part, _ in parts])",
        ),
        scenario="hot_partitions",
    ),
    broken(
        _ROOM,
        "a payment of the full layout is accepted without its first event",
        Edit(
            DynamoDBPayments,
            "create_with",
            "parts += [(Part.KEY, row), (Part.EVENT,",
            "parts += [(Part.KEY, row)] or [(Part.EVENT,",
        ),
        scenario="full_layout",
    ),
    broken(
        _ROOM,
        "a released lease of the full layout counts as held",
        Edit(writes, "_has_owner", "OR {is_owner})", "AND ({expression.absent('lease.owner')} OR {is_owner}))"),
        scenario="full_layout",
    ),
    broken(
        _ROOM,
        "a second request with the key of a payment of the full layout is answered as its first one",
        Edit(DynamoDBPayments, "create_with", "return _existing(key)", "return Created(item=payment)"),
        scenario="full_layout",
    ),
    broken(
        _ROOM,
        "the first event is lost with the second one",
        Edit(
            writes,
            "new_event",
            "event_to_item(event) | first_event_fields(first) | announced",
            "event_to_item(event) | announced",
        ),
    ),
    broken(
        _ROOM,
        "the first event is that of the payment as it became",
        Edit(
            writes,
            "event_of_change",
            "first=held_event(change.before)",
            "first=held_event(replace(change.after, holds_first_event=True))",
        ),
        replace=replace,
    ),
    broken(
        _ROOM,
        "a payment is put over the one of its key",
        Edit(
            DynamoDBPayments,
            "_put",
            "self.client.put_item(**write)",
            "self.client.put_item(TableName=write['TableName'], Item=write['Item'])",
        ),
    ),
    broken(
        _ROOM,
        "a payment that is found under its id counts as our own write",
        Edit(
            payments,
            "_is_same",
            "return is_ours and _existing_payment(stored).is_of(payment.fingerprint, payment.content_fingerprint)",
            "return True",
        ),
    ),
    broken(
        _ROOM,
        "a released lease loses its epoch",
        Edit(
            compact_items,
            "compacted",
            'compact_lease(item["lease"])',
            '{**compact_lease(item["lease"]), "epoch": item["lease"]["epoch"] if item["lease"]["owner"] else 0}',
        ),
    ),
    broken(
        _ROOM,
        "the hash of an attempt's request is cut",
        Edit(
            compact_items,
            "_full_attempt",
            '_hash_text(attempt["request_hash"])',
            '_hash_text(attempt["request_hash"])[:-2] + "00"',
        ),
    ),
    broken(
        _ROOM,
        "a provider key is derived from the next number",
        Edit(
            compact_items,
            "_full_attempt",
            'derive_provider_key(transaction_id, attempt["number"])',
            'derive_provider_key(transaction_id, attempt["number"] + 1)',
        ),
    ),
)
