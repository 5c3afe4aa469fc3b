"""Writes `tests/data/items/<version>`: items and messages as this release stores and sends them.

`python -m tests.data.items.write` writes those of the version in `pyproject.toml`, once, at its release. Later releases
read them for as long as items of that release exist.
"""

import base64
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_type_hints

from payflowx.adapters.dynamodb.core import writes
from payflowx.adapters.dynamodb.core.partitions import FIRST
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.payments.operation_items import operation_to_item
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.reconciliation.lookups import DynamoDBLookups
from payflowx.adapters.dynamodb.reconciliation.runs import DynamoDBRuns
from payflowx.adapters.dynamodb.webhooks.endpoints import DynamoDBWebhookEndpoints
from payflowx.adapters.sqs.messages import DELIVERIES, JOBS, PROVIDER_EVENTS, RUNS
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.merchants.directory import ApiKeyRecord, AuditEntry, ProviderStatus
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.outbound_webhooks.catch_up import CatchUp
from payflowx.domain.outbound_webhooks.endpoints import DisabledReason, Endpoint, EndpointStatus, WebhookEndpoints
from payflowx.domain.outbound_webhooks.merchant_events import Delivery, DeliveryState, MerchantEvent
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, SeenEvent
from payflowx.domain.payments.checkout import Checkout, Choice, Presentation
from payflowx.domain.payments.dispute import Dispute, DisputeState
from payflowx.domain.payments.event_inquiries import EventInquiries
from payflowx.domain.payments.events import GENESIS_HASH, Event
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import NextAction, Succeeded
from payflowx.domain.payments.payment import (
    Address,
    Candidate,
    Customer,
    LastError,
    Layout,
    Lease,
    Payment,
    PaymentMethod,
    Route,
)
from payflowx.domain.payments.ports import Job
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.ports import Account
from payflowx.domain.reconciliation.matching import MatchResult, ResolutionAction
from payflowx.domain.reconciliation.reports import EntryKind
from payflowx.domain.reconciliation.run import Discrepancy, Phase, Run, Source
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import (
    AttemptState,
    CaptureMode,
    DeclineKind,
    Initiator,
    OperationStatus,
    PaymentStatus,
)
from testing.dynamodb.database import Database
from testing.dynamodb.tables import Index, Schema, Table
from tests.support.tables import CONFIGURATION, IDEMPOTENCY, INDEXES, KEY_SCHEMAS, TRANSACTIONS

Item = dict[str, Any]
T = TypeVar("T")

HERE: Final = Path(__file__).parent
NOW_MS: Final = 1_795_000_000_000
MERCHANT: Final = "acme"
ACTION_KINDS: Final = get_args(get_type_hints(NextAction)["kind"])
CODECS: Final = {"jobs": JOBS, "provider_events": PROVIDER_EVENTS, "deliveries": DELIVERIES, "runs": RUNS}

_TABLES_OF_KINDS: Final = {
    "payment": (TRANSACTIONS, "PAYMENT"),
    "operation": (TRANSACTIONS, "OP#"),
    "catch_up": (TRANSACTIONS, "EVENT#000000"),
    "event": (TRANSACTIONS, "EVENT#"),
    "reference": (TRANSACTIONS, "REFERENCE"),
    "locator": (TRANSACTIONS, "OPERATION"),
    "seen": (TRANSACTIONS, "SEEN"),
    "run": (TRANSACTIONS, "RUN"),
    "discrepancy": (TRANSACTIONS, "FINDING#"),
    "listed": (TRANSACTIONS, "LISTED"),
    "endpoints": (CONFIGURATION, "ENDPOINTS"),
}


LEASE: Final = Lease(owner="w-1", epoch=1, expires_at_ms=NOW_MS + 45_000)
CHECKOUT: Final = Checkout(
    expires_at_ms=NOW_MS + 86_400_000,
    address="https://pay.example/checkout/abc",
    methods=("card", "upi"),
    presentation=Presentation.DIRECT,
    choice=Choice(
        number=2, method="card", ways=("stripe", "payu"), return_url="https://pay.example/checkout/def/return"
    ),
    starts_at_ms=(NOW_MS + 1, NOW_MS + 2),
    closing=1,
    expedited_at_ms=NOW_MS + 3,
)
DISPUTE: Final = Dispute(
    provider="stripe",
    reference="dp_1",
    state=DisputeState.OPEN,
    amount=50,
    currency="USD",
    reason="fraudulent",
    opened_at_ms=NOW_MS + 600,
    reported_at_ms=NOW_MS + 700,
    evidence_due_at_ms=NOW_MS + 900_000,
)
ADDRESS: Final = Address(
    line1="1 Long Road", line2="Flat 2", city="Pune", state="MH", postal_code="411001", country="IN"
)


def made(target: type[T], **values: Any) -> T:
    """An object of the domain, without the values of fields that this release does not have."""
    return target(**{name: value for name, value in values.items() if name in target.__dataclass_fields__})  # type: ignore[attr-defined]


# -- payments and operations


def attempt(number: int, state: AttemptState, **changes: Any) -> Attempt:
    values = {
        "number": number,
        "provider": "stripe",
        "account_id": "main",
        "provider_key": f"pfx-aaaaaaaaaaaaaaaa-{number}",
        "request_hash": "f" * 64,
        "epoch": number,
        "started_at_ms": NOW_MS + number,
        "state": state,
        "settled_at_ms": NOW_MS + 100 + number,
        "reference": f"pi_{number}",
        "progress": {"order_id": "order_1"},
        "code": "a_code",
        "message": "A text of the provider.",
        "deadline_ms": NOW_MS + 10_000,
        "reopens_until_ms": NOW_MS + 20_000,
        "retry_after_seconds": 7,
        "inquiries": 3,
    }
    return made(Attempt, **{**values, **changes})


def bare_attempt(state: AttemptState) -> Attempt:
    """Without anything that is stored only where it says something."""
    optional = ("settled_at_ms", "reference", "code", "message", "deadline_ms", "reopens_until_ms")
    empty: Any = {"progress": {}, "retry_after_seconds": 0, "inquiries": 0, **dict.fromkeys(optional)}
    return attempt(1, state, **empty)


def payment(place: int, status: PaymentStatus, attempts: Sequence[Attempt], **changes: Any) -> Payment:
    values: dict[str, Any] = {
        "merchant_id": MERCHANT,
        "transaction_id": f"pay_{_name(place)}",
        "fingerprint": "a" * 64,
        "content_fingerprint": "2:" + "c" * 32,
        "amount": 4_999,
        "currency": "USD",
        "capture": CaptureMode.MANUAL if place % 2 else CaptureMode.AUTOMATIC,
        "payment_method": PaymentMethod(type="card", token="tok_all", tokens={"stripe": "tok_stripe"}),
        "customer": made(
            Customer,
            id="c-1",
            name="Jane",
            email="jane@example.com",
            phone="+911234",
            country="IN",
            address=ADDRESS,
        ),
        "statement_descriptor_suffix": "TICKETS",
        "receipt_email": "receipts@example.com",
        "initiator": Initiator.MERCHANT,
        "save_payment_method": True,
        "description": "Two tickets",
        "metadata": {"seat": "12"},
        "return_url": "https://shop.example/back",
        "route": Route(
            document="7",
            rule="all",
            reasons=("rule all",),
            candidates=(Candidate(provider="stripe", account_id="main"), Candidate(provider="payu", account_id="b")),
        ),
        "created_at_ms": NOW_MS,
        "updated_at_ms": NOW_MS + 500,
        "charge_deadline_ms": NOW_MS + 86_400_000,
        "status": status,
        "version": 5,
        "lease": Lease(owner="w-1", epoch=2, expires_at_ms=NOW_MS + 45_000),
        "attempts": tuple(attempts),
        "charged_attempt": 1 if status is PaymentStatus.SUCCESS else None,
        "capturable": 10,
        "captured": 100,
        "refundable": 60,
        "refunded": 25,
        "reserved": 20,
        "excess": 5,
        "open_capture_or_void": "cap_" + _name(place),
        "event_seq": 3,
        "event_hash": "e" * 64,
        "announced": 2,
        "last_error": LastError(
            code="declined", message="The text", provider="stripe", provider_code="card_declined", attempt=1
        ),
        "not_sent_since_ms": NOW_MS + 3,
        "ready_at_ms": NOW_MS + 1,
        "due_at_ms": NOW_MS + 90_000,
        "drives": 4,
        "cancel_requested": True,
        "erased": True,
        "searched_at_ms": NOW_MS + 450,
        "review_since_ms": NOW_MS + 400 if status is PaymentStatus.IN_REVIEW else None,
        "event_inquiries": EventInquiries(since_ms=NOW_MS + 500, count=3),
        "disputes": (DISPUTE,),
        "checkout": CHECKOUT,
        "extra_charges": (ExtraCharge(reference="pi_2", amount=100, currency="USD", attempt=1, found_at_ms=NOW_MS),),
        "payer_paid": 102,
    }
    return made(Payment, **{**values, **changes})


def payments() -> Iterator[Payment]:
    """Every status with every state of an attempt, every decline and every action; and one as it was accepted."""
    for place, status in enumerate(PaymentStatus):
        yield payment(place, status, [attempt(n, state) for n, state in enumerate(AttemptState, start=1)][:8])
    later = [attempt(n, state) for n, state in enumerate(AttemptState, start=1)][8:]
    yield payment(10, PaymentStatus.PENDING, [replace(known, number=n) for n, known in enumerate(later, start=1)])
    declined = [attempt(n, AttemptState.DECLINED, decline_kind=kind) for n, kind in enumerate(DeclineKind, start=1)]
    yield payment(11, PaymentStatus.FAILED, declined)
    actions = [NextAction(kind=kind, url="https://bank.example", fields={"a": "b"}) for kind in ACTION_KINDS]
    waiting = [
        attempt(n, AttemptState.REQUIRES_ACTION, next_action=action) for n, action in enumerate(actions, start=1)
    ]
    yield payment(12, PaymentStatus.REQUIRES_ACTION, waiting)
    yield payment(13, PaymentStatus.PENDING, [bare_attempt(state) for state in [AttemptState.STARTED]])
    nothing: dict[str, Any] = {
        **dict.fromkeys(("customer", "description", "return_url", "open_capture_or_void", "last_error", "due_at_ms")),
        **dict.fromkeys(("capturable", "captured", "refundable", "refunded", "reserved", "excess"), 0),
        "not_sent_since_ms": None,
        "checkout": None,
        "extra_charges": (),
        "payer_paid": None,
        "statement_descriptor_suffix": None,
        "receipt_email": None,
        "content_fingerprint": None,
        "initiator": Initiator.CUSTOMER,
        "save_payment_method": False,
        "payment_method": PaymentMethod(type="upi", token="tok_only"),
        "metadata": {},
        "announced": 0,
        "lease": Lease(),
        "version": 1,
        "cancel_requested": False,
        "erased": False,
    }
    yield payment(14, PaymentStatus.PENDING, [], **nothing)
    yield payment(15, PaymentStatus.PENDING, [], **{**nothing, "receipt_email": "receipts@example.com"})
    yield from compact_payments({**nothing, "content_fingerprint": "2:" + "c" * 32})


def compact_payments(nothing: Mapping[str, Any]) -> Iterator[Payment]:
    """In the layout that release 0.2.0 does not read: with everything, with derived keys, and as accepted."""
    states = [attempt(n, state) for n, state in enumerate(AttemptState, start=1)][:8]
    yield payment(16, PaymentStatus.SUCCESS, states, layout=Layout.COMPACT)
    derived = bare_attempt(AttemptState.STARTED)
    derived = replace(derived, provider_key=f"pfx-{_name(17)}-1")
    yield payment(17, PaymentStatus.PENDING, [derived], **{**nothing, "lease": LEASE, "layout": Layout.COMPACT})
    accepted = {"ready_at_ms": NOW_MS, "event_seq": 1, "holds_first_event": True, "layout": Layout.COMPACT}
    yield payment(18, PaymentStatus.PENDING, [], **{**nothing, **accepted})


def operations() -> Iterator[Operation]:
    """Every kind in every status, with every state of an attempt."""
    origins = _words(Operation, "origin")
    states = list(AttemptState)
    for place, (kind, status) in enumerate((k, s) for k in OperationKind for s in OperationStatus):
        values: dict[str, Any] = {
            "merchant_id": MERCHANT,
            "transaction_id": f"pay_{_name(0)}",
            "operation_id": f"ref_{_name(place)}",
            "kind": kind,
            "fingerprint": "1:" + "b" * 64,
            "amount": 100,
            "currency": "USD",
            "charge_attempt": 1,
            "created_at_ms": NOW_MS,
            "updated_at_ms": NOW_MS + 5,
            "send_deadline_ms": NOW_MS + 86_400_000,
            "status": status,
            "held": _held(status, place),
            "booked_amount": 90,
            "origin": origins[place % len(origins)] if origins else None,
            "version": 3,
            "lease": Lease(owner="w-2", epoch=1, expires_at_ms=NOW_MS + 45_000),
            "attempts": (attempt(1, states[place % len(states)]),),
            "last_error": LastError(code="declined", message="The text", provider="stripe", attempt=1),
            "not_sent_since_ms": NOW_MS + 3,
            "ready_at_ms": NOW_MS + 1,
            "due_at_ms": NOW_MS + 90_000 if status is OperationStatus.PENDING else None,
            "drives": 1,
            "searched_at_ms": NOW_MS + 6,
            "review_since_ms": NOW_MS + 4 if status is OperationStatus.IN_REVIEW else None,
            "event_inquiries": EventInquiries(since_ms=NOW_MS + 5, count=2),
        }
        yield made(Operation, **values)


def _held(status: OperationStatus, place: int) -> Any:
    """As the status says it, and in review any of them. None in release 0.2.0, which does not have the field."""
    words = _words(Operation, "held")
    by_status = {OperationStatus.PENDING: 0, OperationStatus.SUCCEEDED: 1, OperationStatus.FAILED: 2}
    return words[by_status.get(status, place % len(words))] if words else None


def event(transaction_id: str, seq: int, to: PaymentStatus) -> Event:
    entry = Event(
        merchant_id=MERCHANT,
        transaction_id=transaction_id,
        seq=seq,
        type="payment.accepted",
        status_from=None if seq == 1 else PaymentStatus.PENDING,
        status_to=to,
        actor="api",
        at_ms=NOW_MS,
        facts={"attempt": 1, "provider": "stripe", "late": True},
        previous_hash=GENESIS_HASH,
    )
    return replace(entry, hash=entry.compute_hash())


def merchant_event(of: Event) -> MerchantEvent:
    """With a delivery in each state."""
    deliveries = {
        f"we_{_name(n)}": Delivery(state=state, attempts=n, next_at_ms=NOW_MS, status=500, code="timeout")
        for n, state in enumerate(DeliveryState)
    }
    return MerchantEvent(
        merchant_id=of.merchant_id,
        transaction_id=of.transaction_id,
        seq=of.seq,
        number=2,
        event_type="payment.updated",
        status_from=PaymentStatus.PENDING,
        status_to=of.status_to,
        operation_id="ref_" + _name(1),
        at_ms=of.at_ms,
        planned=True,
        deliveries=deliveries,
        version=3,
        due_at_ms=NOW_MS,
        drives=1,
    )


# -- everything else


def runs() -> Iterator[Run]:
    """Every source in every phase."""
    for place, (source, phase) in enumerate((s, p) for s in Source for p in Phase):
        yield made(
            Run,
            run_id=f"rec_{_name(place)}",
            merchant_id=MERCHANT,
            provider="stripe",
            account_id="main",
            source=source,
            file="day.csv" if source is Source.FILE else None,
            from_ms=NOW_MS - 9,
            until_ms=NOW_MS - 1,
            listed_from_ms=NOW_MS - 10,
            listed_until_ms=NOW_MS,
            lag_ms=5,
            created_at_ms=NOW_MS,
            updated_at_ms=NOW_MS + 1,
            slice_from_ms=NOW_MS - 8,
            slice_ms=1_000,
            max_slice_ms=2_000,
            phase=phase,
            cursor="page-2" if place % 2 else None,
            pages=4,
            actions=3,
            tries=2,
            problem="http_500" if phase is Phase.FAILED else None,
            counts={result.value: n for n, result in enumerate(MatchResult)},
            version=7,
        )


def discrepancies() -> Iterator[Discrepancy]:
    actions, kinds = list(ResolutionAction), list(EntryKind)
    for place, result in enumerate(MatchResult):
        yield made(
            Discrepancy,
            result=result,
            action=actions[place % len(actions)],
            kind=kinds[place % len(kinds)],
            reference=f"pi_{place}",
            provider_key="pfx-aaaaaaaaaaaaaaaa-1" if place % 2 else None,
            transaction_id="pay_" + _name(place) if place % 2 else None,
            operation_id="ref_" + _name(place) if place % 3 else None,
            their_amount=1,
            our_amount=2 if place % 2 else None,
            currency="USD",
            at_ms=NOW_MS,
            line=str(place) if place % 2 else None,
        )


def endpoints() -> WebhookEndpoints:
    """One for each reason to be disabled, and an enabled one."""
    reasons: list[DisabledReason | None] = [None, *DisabledReason]
    found = tuple(
        Endpoint(
            endpoint_id="we_" + _name(place),
            url=f"https://shop.example/{place}",
            event_types=("payment.updated",),
            encrypted_secret="c2VhbGVk",
            created_at_ms=NOW_MS,
            updated_at_ms=NOW_MS + 1,
            previous_encrypted_secret="b2xk" if reason else None,
            previous_until_ms=NOW_MS + 2,
            status=EndpointStatus.DISABLED if reason else EndpointStatus.ENABLED,
            disabled_reason=reason,
            failing_since_ms=NOW_MS if reason else None,
        )
        for place, reason in enumerate(reasons)
    )
    return WebhookEndpoints(merchant_id=MERCHANT, version=2, endpoints=found)


def catch_up() -> CatchUp:
    endpoint_id = "we_" + _name(0)
    return CatchUp(
        merchant_id=MERCHANT,
        endpoint_id=endpoint_id,
        since_ms=NOW_MS,
        due_at_ms=NOW_MS + 1,
        drives=1,
        until_ms=NOW_MS + 2,
        position="p",
    )


def messages() -> dict[str, list[str]]:
    """The bodies of each queue."""
    proof = {"amount": 5, "currency": "USD", "merchant_reference": "pfx-a-1"}
    provider_event = ProviderEvent(
        event_id="evt_1",
        type="charge.refunded",
        charge_reference="pi_1",
        charge_key="pfx-a-1",
        operation_reference="re_1",
        operation_key="pfx-b-1",
        outcome=Succeeded(reference="pi_1", **proof),  # type: ignore[arg-type]
        operation_outcome=Succeeded(reference="re_1", **proof),  # type: ignore[arg-type]
    )
    bare = ProviderEvent(event_id="evt_2", type="charge.updated")
    received = [
        ReceivedEvent(
            merchant_id=MERCHANT,
            provider="stripe",
            account_id="main",
            received_at_ms=NOW_MS,
            provider_event=known,
            tries=2,
        )
        for known in (provider_event, bare)
    ]
    job = Job(merchant_id=MERCHANT, transaction_id="pay_" + _name(0))
    full = replace(
        job, operation_id="ref_" + _name(1), version=3, provider="stripe", account_id="main", request_hash="ab"
    )
    delivery = DeliveryJob(merchant_id=MERCHANT, transaction_id="pay_" + _name(0), seq=4)
    return {
        "jobs": [JOBS.encode(known, "correlation") for known in (job, full)],
        "provider_events": [PROVIDER_EVENTS.encode(known, "correlation") for known in received],
        "deliveries": [DELIVERIES.encode(delivery, "correlation")],
        "runs": [RUNS.encode("rec_" + _name(0), None)],
    }


class _Batches(Database):
    """With batches of puts, which the model of release 0.2.0 does not have."""

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        for table, puts in request["RequestItems"].items():
            for put in puts:
                self.put_item(TableName=table, Item=put["PutRequest"]["Item"])
        return {}


def database() -> Database:
    """The tables of the in-memory model with all of it, written by the adapters."""
    stored = _Batches({name: _table(name) for name in KEY_SCHEMAS})
    _store_payments(stored)
    _store_reconciliation(stored)
    nothing = WebhookEndpoints(merchant_id=MERCHANT)
    store: Any = DynamoDBWebhookEndpoints(client=stored, table=CONFIGURATION, transactions_table=TRANSACTIONS)  # type: ignore[arg-type]
    assert store.save(nothing, endpoints(), catch_up=catch_up())
    _store_directory(stored)
    return stored


def _store_payments(stored: Database) -> None:
    client: Any = stored
    store = DynamoDBPayments(
        client=client,
        transactions_table=TRANSACTIONS,
        idempotency_table=IDEMPOTENCY,
        pause=lambda _seconds: None,
        jitter=lambda: 0.0,
    )
    for place, known in enumerate(payments()):
        store.create(known, event(known.transaction_id, 1, PaymentStatus.PENDING), f"order-{place}")
    paid, (operation, *others) = next(payments()), list(operations())
    accepting = Change(
        before=paid, after=paid, event=event(paid.transaction_id, 99, paid.status), operation_after=operation
    )
    accepted = DynamoDBOperations(client=client, transactions_table=TRANSACTIONS, idempotency_table=IDEMPOTENCY)
    accepted.accept(accepting, "refund-1")
    parts: list[Any] = [_new(operation_to_item(known)) for known in others]
    for seq, to in enumerate(PaymentStatus, start=2):
        entry = event(paid.transaction_id, seq, to)
        parts.append(writes.new_event(TRANSACTIONS, FIRST, entry, merchant_event(entry)))
    seen = SeenEvent(provider="stripe", account_id="main", event_id="evt_1", expires_at_ms=NOW_MS)
    parts.append(writes.seen_event(TRANSACTIONS, MERCHANT, seen))
    change = Change(before=paid, after=paid, event=entry, attempt_number=1, reference="pi_1")
    parts.append(writes.owned_reference(TRANSACTIONS, change))
    moved = replace(change, operation_before=operation, operation_after=operation, reference="re_1")
    parts.append(writes.owned_reference(TRANSACTIONS, moved))
    for part in parts:
        client.transact_write_items(TransactItems=[part])


def _store_reconciliation(stored: Database) -> None:
    client: Any = stored
    store = DynamoDBRuns(client=client, table=TRANSACTIONS)
    for run in runs():
        store.start(run)
    store.report("rec_" + _name(0), list(discrepancies()))
    lookups = DynamoDBLookups(client=client, table=TRANSACTIONS)
    lookups.note_listed(MERCHANT, Source.LIST, "stripe", "main", {"pi_1": "12"}, expires_at_ms=NOW_MS)


def _store_directory(stored: Database) -> None:
    client: Any = stored
    directory = DynamoDBMerchantDirectory(client=client, table=CONFIGURATION)
    account = Account(
        provider="stripe",
        account_id="main",
        endpoint="https://api.stripe.com",
        secret_arn="arn:aws:secretsmanager:eu-west-1:000000000000:secret:a",
        webhook_token="t" * 32,
    )
    merchant = Merchant(merchant_id=MERCHANT, name="Acme", accounts=(account,), disabled=frozenset())
    key = made(ApiKeyRecord, key_id="key_1", merchant_id=MERCHANT, key_hash="a" * 64, created_at_ms=NOW_MS)
    operator = OperatorAction(who="arn:aws:iam::000000000000:user/ada", why="TICKET-1")
    entries = (
        AuditEntry(
            action=f"merchants.{number}",
            at_ms=NOW_MS + number,
            operator_action=operator,
            merchant_id=MERCHANT,
            facts={"accounts": 1},
        )
        for number in range(9)
    )
    assert directory.create_merchant(merchant, key, next(entries))
    second = replace(key, key_id="key_2", key_hash="b" * 64, expires_at_ms=NOW_MS + 9)
    assert directory.add_key(second, next(entries), number=2)
    assert directory.change_key(replace(second, revoked_at_ms=NOW_MS + 1), next(entries))
    for merchant_id in (MERCHANT, None):
        switch = ProviderStatus(provider="payu", merchant_id=merchant_id, disabled=True, changed_at_ms=NOW_MS)
        assert directory.set_provider_status(switch, next(entries))


# -- files


def items() -> dict[str, list[Item]]:
    """Attribute values by kind; `directory` and `idempotency` hold what has no kind of its own."""
    found: dict[str, list[Item]] = {kind: [] for kind in (*_TABLES_OF_KINDS, "directory", "idempotency")}
    for name, table in database().tables.items():
        for item in sorted(_all(table), key=lambda item: json.dumps(item, sort_keys=True, default=_base64)):
            found[_kind(name, item)].append(item)
    return found


def _kind(table: str, item: Item) -> str:
    if table == IDEMPOTENCY:
        return "idempotency"
    sort = item["sk"]["S"]
    for kind, (of, prefix) in _TABLES_OF_KINDS.items():
        if of == table and (sort.startswith(prefix) if prefix.endswith("#") else sort == prefix):
            return kind
    return "directory"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def read(text: str) -> Any:
    """A file of items again, with bytes where `B` has their text."""
    return json.loads(text, object_hook=_with_bytes)


def _with_bytes(known: dict[str, Any]) -> dict[str, Any]:
    is_binary = known.keys() == {"B"} and isinstance(known["B"], str)
    return {"B": base64.b64decode(known["B"])} if is_binary else known


def write(folder: Path) -> None:
    folder.mkdir()
    for kind, found in items().items():
        (folder / f"{kind}.json").write_text(json.dumps(found, indent=1, sort_keys=True, default=_base64) + "\n")
    (folder / "messages.json").write_text(json.dumps(messages(), indent=1, sort_keys=True) + "\n")


def _all(table: Table) -> list[Item]:
    return [item for partition in table.partitions.values() for item in partition.values()]


def _table(name: str) -> Table:
    schema = _schema(KEY_SCHEMAS[name])
    indexes = INDEXES if name == TRANSACTIONS else {}
    return Table(name, schema, {index: Index(_schema(keys), schema) for index, keys in indexes.items()})


def _schema(keys: Sequence[tuple[str, str]]) -> Schema:
    return Schema(*(attribute for attribute, _ in keys))


def _new(item: Mapping[str, Any]) -> Any:
    return writes.new_item(TRANSACTIONS, dict(item))


def _words(target: type[Any], field: str) -> list[Any]:
    """The words of a field; empty in a release that does not have it."""
    hint = get_type_hints(target).get(field)
    return [word for kind in (get_args(hint) or (hint,)) if kind not in (None, type(None)) for word in kind]


def _name(place: int) -> str:
    """Sixteen characters of an id."""
    return f"{'a' * 14}{'abcdefghijklmnopqrstuvwxyz'[place]}a"


def version() -> str:
    project = tomllib.loads((HERE.parents[2] / "pyproject.toml").read_text())["project"]
    return str(project["version"])


if __name__ == "__main__":
    write(HERE / version())
