"""Items of every release, and of a newer one: read by this release, and kept whole by its writes.

`tests/data/items/<version>` holds what a release wrote. The tests walk the items, so that a new attribute, a new nested
map and a new word are tried without being listed here.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from payflowx.adapters.dynamodb.core.changes import changes
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.merchants.accounts import DynamoDBAccountDirectory
from payflowx.adapters.dynamodb.merchants.api_keys import DynamoDBApiKeys
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.payments.event_items import event_from_item, event_to_item
from payflowx.adapters.dynamodb.payments.operation_items import operation_from_item, operation_to_item
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.adapters.dynamodb.payments.payment_items import from_item, to_item
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.reconciliation import runs as stored_runs
from payflowx.adapters.dynamodb.reconciliation.runs import DynamoDBRuns
from payflowx.adapters.dynamodb.webhooks import endpoints as stored_endpoints
from payflowx.adapters.dynamodb.webhooks.endpoints import DynamoDBWebhookEndpoints
from payflowx.adapters.dynamodb.webhooks.merchant_event_items import merchant_event_fields, merchant_event_from_item
from payflowx.adapters.dynamodb.webhooks.merchant_events import DynamoDBMerchantEvents
from payflowx.domain.merchants.directory import AuditEntry, ProviderStatus
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.outbound_webhooks.endpoints import EndpointStatus
from payflowx.domain.outbound_webhooks.merchant_events import DeliveryState
from payflowx.domain.payments.payment import Layout, Lease
from payflowx.domain.payments.ports import Stored
from payflowx.domain.payments.work_item import id_of
from payflowx.domain.reconciliation.matching import MatchResult
from payflowx.domain.shared.errors import UnreadableItemError
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus
from tests.data.items import write
from tests.support.model_tables import model_database
from tests.support.tables import CONFIGURATION, IDEMPOTENCY, TRANSACTIONS

VERSIONS: Final = sorted(path.name for path in write.HERE.iterdir() if path.is_dir() and path.name[0].isdigit())
CURRENT: Final = "current"
NEW: Final = "fromANewerRelease"
VALUES: Final[tuple[dict[str, Any], ...]] = (
    {"S": "x"},
    {"SS": ["a", "b"]},
    {"N": "1.5"},
    {"NULL": True},
    {"M": {"a": {"L": []}}},
)
"""Of types that our items hold, and of others."""


def items_of(version: str) -> Mapping[str, list[dict[str, Any]]]:
    if version == CURRENT:
        return write.items()
    folder = write.HERE / version
    return {path.stem: write.read(path.read_text()) for path in folder.glob("*.json") if path.stem != "messages"}


ITEMS: Final = {version: items_of(version) for version in (*VERSIONS, CURRENT)}


def _endpoints(item: dict[str, Any]) -> Any:
    return [stored_endpoints._endpoint(endpoint) for endpoint in item["endpoints"]]


def _endpoints_to_item(endpoints: Any) -> dict[str, Any]:
    return {"endpoints": [stored_endpoints._endpoint_item(endpoint) for endpoint in endpoints]}


def _discrepancy_to_item(discrepancy: Any) -> dict[str, Any]:
    return stored_runs._discrepancy_to_item("rec_aaaaaaaaaaaaaaaa", discrepancy)


def _event(item: dict[str, Any]) -> Any:
    return event_from_item(item), merchant_event_from_item(item)


def _event_to_item(both: Any) -> dict[str, Any]:
    event, merchant_event = both
    return event_to_item(event) | (merchant_event_fields(merchant_event) if merchant_event else {})


CODECS: Final[Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], dict[str, Any]]]]] = {
    "payment": (from_item, to_item),
    "operation": (operation_from_item, operation_to_item),
    "event": (_event, _event_to_item),
    "run": (stored_runs._run_from_item, stored_runs._run_to_item),
    "discrepancy": (stored_runs._discrepancy_from_item, _discrepancy_to_item),
    "endpoints": (_endpoints, _endpoints_to_item),
}


def each(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("kind", "item"),
        [
            pytest.param(kind, item, id=f"{version}-{kind}-{place}")
            for version, items in ITEMS.items()
            for kind in kinds or CODECS
            for place, item in enumerate(items[kind])
        ],
    )


# -- reading


def test_the_last_release_is_among_the_versions() -> None:
    assert "0.2.0" in VERSIONS
    for version, items in ITEMS.items():
        assert {kind for kind, found in items.items() if not found} == set(), version


@each()
def test_an_item_of_each_release_keeps_its_attributes(kind: str, item: dict[str, Any]) -> None:
    """Under their names: what is read and written again differs in nothing but what this release adds."""
    decode, encode = CODECS[kind]
    stored = from_attributes(item)
    again = from_attributes(to_attributes(encode(decode(stored))))
    changed, removed = changes(stored, {**dict.fromkeys(stored), **again})
    assert [path for path, _ in changed if path[0] in stored] == []
    outside = {"pk", "sk", "schemaVersion", "version"} if kind == "endpoints" else set()
    assert {path[0] for path in removed} <= outside


NESTED: Final = ("attempts", "lastError", "route", "customer", "lease")
"""Values within which release 0.2.0 fails on a name that it does not know. Facts of the progress have any name."""


@pytest.mark.parametrize("kind", ["payment", "operation"])
def test_nothing_is_written_within_an_attempt_an_error_or_a_customer_that_release_020_does_not_know(kind: str) -> None:
    def names_in(version: str, value: str) -> set[str]:
        items = [from_attributes(item) for item in ITEMS[version][kind]]
        found = [part for item in items for part in _parts(item.get(value))]
        return {name for part in found for name in part}

    for value in NESTED:
        assert names_in(CURRENT, value) <= names_in("0.2.0", value), value


def _parts(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else [value] if value else []


def test_the_written_items_hold_every_attribute() -> None:
    """A field that is added to a payment or operation is added to `write.py` too."""
    for kind, read, encode in (
        ("payment", from_item, to_item),
        ("operation", operation_from_item, operation_to_item),
    ):
        items = [from_attributes(item) for item in ITEMS[CURRENT][kind]]
        stored = {name for item in items for name in item}
        names = {name for item in items for name in encode(read(item))}  # type: ignore[operator]
        assert names - stored == set(), kind
        attempts = [attempt for item in items for attempt in item["attempts"]]
        assert {a["state"] for a in attempts} == set(AttemptState)
        assert {name for a in attempts for name in a} >= {"progress", "inquiries", "reopens_until_ms", "deadline_ms"}


def test_release_020_reads_a_customer_with_an_address() -> None:
    """It fails on an attribute of a customer that it does not know, and ignores those of a payment."""
    known = {name for item in ITEMS["0.2.0"]["payment"] for name in from_attributes(item).get("customer", {})}
    addresses = 0
    for payment in write.payments():
        if payment.layout is not Layout.FULL:
            continue
        item = to_attributes(to_item(payment))
        assert from_attributes(item).get("customer", {}).keys() <= known
        assert from_item(from_attributes(item)) == payment
        addresses += "customerAddress" in item
    assert addresses


@each("directory")
def test_an_item_of_the_directory_with_further_attributes_is_read(kind: str, item: dict[str, Any]) -> None:
    database = stored_in(CONFIGURATION, {**item, NEW: {"SS": ["a"]}})
    directory = DynamoDBMerchantDirectory(client=database, table=CONFIGURATION)
    sort, partition = item["sk"]["S"], item["pk"]["S"]
    found: Any
    if partition == "MERCHANTS":
        found = directory.merchants(after=None, limit=9).items
    elif partition.startswith("AUDIT#"):
        found = directory.records(partition.removeprefix("AUDIT#"), limit=9)
    elif partition == "ACCOUNTS":
        found = list(DynamoDBAccountDirectory(client=database, table=CONFIGURATION).accounts())
    elif sort == "KEY":
        found = DynamoDBApiKeys(client=database, table=CONFIGURATION).find(partition.removeprefix("K#"))
    elif partition.endswith("#K"):
        found = directory.keys(partition[2:-2])
    elif sort.startswith("SWITCH#"):
        found = directory.provider_statuses(None if partition == "GLOBAL" else partition[2:])
    elif sort == "MERCHANT":
        found = directory.merchant(partition[2:])
    else:
        found = sort.startswith("ACCOUNT#") or sort == "WEBHOOK"
    assert found, (partition, sort)


# -- attributes of a newer release


def maps_in(value: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all maps within an item's attribute values."""
    yield path
    for name, inner in value.items():
        yield from _maps_within(inner, (*path, name))


def _maps_within(value: dict[str, Any], path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if "M" in value:
        yield from maps_in(value["M"], (*path, "M"))
    for place, inner in enumerate(value.get("L", ())):
        yield from _maps_within(inner, (*path, "L", place))


def at(item: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        item = item[part]
    return item


OF_FREE_NAMES: Final = frozenset({"metadata", "tokens", "progress", "fields", "counts", "facts", "deliveries"})
"""Maps whose names are data: every name is known."""


def is_free(path: tuple[Any, ...]) -> bool:
    return len(path) > 1 and path[-2] in OF_FREE_NAMES


def of_a_newer_release(item: dict[str, Any]) -> dict[str, Any]:
    """With one attribute more in every map of fixed names."""
    newer = copy.deepcopy(item)
    for place, path in enumerate(maps_in(item)):
        if not is_free(path):
            at(newer, path)[NEW] = VALUES[place % len(VALUES)]
    return newer


@each()
def test_unknown_attributes_are_ignored_at_every_level(kind: str, item: dict[str, Any]) -> None:
    decode, _ = CODECS[kind]
    assert decode(from_attributes(of_a_newer_release(item))) == decode(from_attributes(item))


def test_the_walk_reaches_every_level() -> None:
    reached = {
        tuple(part for part in path if isinstance(part, str) and part not in {"M", "L"})
        for kind in CODECS
        for item in ITEMS[CURRENT][kind]
        for path in maps_in(item)
        if not is_free(path)
    }
    assert reached >= {
        (),
        ("lease",),
        ("attempts",),
        ("attempts", "next_action"),
        ("lastError",),
        ("customer",),
        ("paymentMethod",),
        ("route",),
        ("route", "candidates"),
        ("endpoints",),
    }
    assert any(path[:1] == ("deliveries",) and len(path) == 2 for path in reached)


# -- writes keep them


def stored_in(table: str, *items: dict[str, Any]) -> Any:
    database = model_database()
    for item in items:
        database.put_item(TableName=table, Item=item)
    return database


def found_in(database: Any, table: str, item: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = database.get_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})["Item"]
    return found


def lost(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Places where the newer release's attribute is gone."""
    marked = [path for path in maps_in(before) if NEW in at(before, path)]
    assert marked
    return [path for path in marked if not _has(after, path, at(before, path)[NEW])]


def _has(item: Any, path: tuple[Any, ...], value: Any) -> bool:
    try:
        return bool(at(item, path)[NEW] == value)
    except (KeyError, IndexError):
        return False


def payments_over(database: Any) -> DynamoDBPayments:
    return DynamoDBPayments(
        client=database,
        transactions_table=TRANSACTIONS,
        idempotency_table=IDEMPOTENCY,
        pause=lambda _seconds: None,
        jitter=lambda: 0.0,
    )


def operations_over(database: Any) -> DynamoDBOperations:
    return DynamoDBOperations(client=database, transactions_table=TRANSACTIONS, idempotency_table=IDEMPOTENCY)


@each("payment", "operation")
def test_a_change_of_a_payment_or_operation_keeps_them(kind: str, item: dict[str, Any]) -> None:
    """A claim, and a write that changes the status, the lease and each attempt."""
    newer = of_a_newer_release(item)
    database = stored_in(TRANSACTIONS, newer)
    store: Any = payments_over(database) if kind == "payment" else operations_over(database)
    decode, _ = CODECS[kind]
    before = decode(from_attributes(newer))
    lease = Lease(owner="me", epoch=before.lease.epoch + 1, expires_at_ms=before.lease.expires_at_ms + 99_000)
    claimed = store.claim(id_of(before), version=before.version, lease=lease, now_ms=lease.expires_at_ms - 50_000)
    assert isinstance(claimed, Stored)
    assert lost(newer, found_in(database, TRANSACTIONS, item)) == []
    owner: Any = claimed.item
    attempts = tuple(
        replace(attempt, state=AttemptState.FENCED, code="changed", settled_at_ms=None, inquiries=attempt.inquiries + 1)
        for attempt in owner.attempts
    )
    after = replace(
        owner,
        attempts=attempts,
        lease=owner.lease.released(),
        version=owner.version + 1,
        updated_at_ms=owner.updated_at_ms + 1,
        due_at_ms=None,
    )
    assert isinstance(store.reschedule(owner, after), Stored)
    changed = found_in(database, TRANSACTIONS, item)
    assert lost(newer, changed) == []
    assert [attempt["state"] for attempt in from_attributes(changed)["attempts"]] == ["FENCED"] * len(attempts)


def test_a_value_that_is_replaced_takes_its_unknown_attributes_along() -> None:
    """An attribute of the old error would be false for the new one; an erasure removes what it cannot name."""
    item = next(i for i in ITEMS[CURRENT]["payment"] if "customer" in i and "lastError" in i)
    newer = of_a_newer_release(item)
    database = stored_in(TRANSACTIONS, newer)
    before = from_item(from_attributes(newer))
    error = replace(before.last_error, code="other")  # type: ignore[type-var]
    method = replace(before.payment_method, token=None, tokens={})
    after = replace(before, customer=None, payment_method=method, last_error=error, version=before.version + 1)
    assert isinstance(payments_over(database).reschedule(before, after), Stored)
    assert {path[0] for path in lost(newer, found_in(database, TRANSACTIONS, item))} == {
        "customer",
        "customerAddress",
        "paymentMethod",
        "lastError",
    }


@each("event")
def test_a_delivery_keeps_them(kind: str, item: dict[str, Any]) -> None:
    newer = of_a_newer_release(item)
    database = stored_in(TRANSACTIONS, newer)
    merchant_event = merchant_event_from_item(from_attributes(newer))
    if merchant_event is None:
        return
    deliveries = {
        name: replace(known, state=DeliveryState.FAILED, attempts=9, code=None)
        for name, known in merchant_event.deliveries.items()
    }
    store = DynamoDBMerchantEvents(client=database, table=TRANSACTIONS)
    assert store.save(merchant_event, replace(merchant_event, deliveries=deliveries, due_at_ms=None))
    assert lost(newer, found_in(database, TRANSACTIONS, item)) == []


@each("run")
def test_a_reconciliation_keeps_them(kind: str, item: dict[str, Any]) -> None:
    newer = of_a_newer_release(item)
    database = stored_in(TRANSACTIONS, newer)
    before = stored_runs._run_from_item(from_attributes(newer))
    after = replace(before, version=before.version + 1, cursor=None, pages=9, counts={MatchResult.AMOUNT.value: 2})
    assert DynamoDBRuns(client=database, table=TRANSACTIONS).save(before, after)
    assert lost(newer, found_in(database, TRANSACTIONS, item)) == []


@each("endpoints")
def test_endpoints_keep_them_when_one_is_changed_added_or_deleted(kind: str, item: dict[str, Any]) -> None:
    newer = of_a_newer_release(item)
    database = stored_in(CONFIGURATION, newer)
    store = DynamoDBWebhookEndpoints(client=database, table=CONFIGURATION, transactions_table=TRANSACTIONS)
    before = store.get(write.MERCHANT)
    first = before.endpoints[0]
    changed = before.with_endpoint(replace(first, status=EndpointStatus.DISABLED, failing_since_ms=5))
    assert store.save(before, changed)
    added = changed.with_endpoint(replace(first, endpoint_id="we_bbbbbbbbbbbbbbbb"))
    assert store.save(changed, added)
    assert lost(newer, found_in(database, CONFIGURATION, item)) == []
    deleted = added.without(first.endpoint_id)
    assert store.save(added, deleted)
    left = from_attributes(found_in(database, CONFIGURATION, item))["endpoints"]
    assert [endpoint["id"] for endpoint in left] == [endpoint.endpoint_id for endpoint in deleted.endpoints]
    assert [NEW in endpoint for endpoint in left] == [True] * (len(before.endpoints) - 1) + [False]


@each("directory")
def test_a_switch_keeps_them(kind: str, item: dict[str, Any]) -> None:
    if not item["sk"]["S"].startswith("SWITCH#"):
        return
    newer = of_a_newer_release(item)
    database = stored_in(CONFIGURATION, newer)
    merchant_id = None if item["pk"]["S"] == "GLOBAL" else item["pk"]["S"][2:]
    operator = OperatorAction(who="arn:aws:iam::000000000000:user/ada", why="TICKET-1")
    status = ProviderStatus(provider="payu", merchant_id=merchant_id, disabled=False, changed_at_ms=1)
    record = AuditEntry(action="providers.enabled", at_ms=1, operator_action=operator)
    assert DynamoDBMerchantDirectory(client=database, table=CONFIGURATION).set_provider_status(status, record)
    changed = found_in(database, CONFIGURATION, item)
    assert lost(newer, changed) == []
    assert changed["disabled"] == {"BOOL": False}


# -- words of a newer release


WORD_NAMES: Final = frozenset(
    {"status", "state", "kind", "capture", "decline_kind", "from", "to", "held", "origin", "source", "phase"}
    | {"verdict", "remedy", "disabledReason", "initiator"}
)
"""Names of attributes that hold a word of a closed set."""


def words_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for name, inner in value.items():
        if name in WORD_NAMES and "S" in inner:
            yield (*path, name)
        elif "M" in inner and name not in OF_FREE_NAMES - {"deliveries"} | {"customerAddress"}:
            yield from words_in(inner["M"], (*path, name, "M"))
        for place, member in enumerate(inner.get("L", ())):
            if "M" in member:
                yield from words_in(member["M"], (*path, name, "L", place, "M"))


@each()
def test_an_unknown_word_is_an_error_at_every_level_and_never_a_guess(kind: str, item: dict[str, Any]) -> None:
    decode, _ = CODECS[kind]
    words = list(words_in(item))
    assert words
    for path in words:
        newer = copy.deepcopy(item)
        at(newer, path[:-1])[path[-1]] = {"S": "A_NEWER_WORD"}
        if kind == "operation" and path == ("held",) and item["status"]["S"] != "IN_REVIEW":
            continue  # outside of review the status alone says it
        with pytest.raises(UnreadableItemError, match="A_NEWER_WORD"):
            decode(from_attributes(newer))


@each("payment")
def test_an_error_names_the_word_and_no_personal_datum(kind: str, item: dict[str, Any]) -> None:
    newer = {**item, "status": {"S": "SUSPENDED"}, "schemaVersion": {"N": "2"}}
    with pytest.raises(UnreadableItemError) as caught:
        from_item(from_attributes(newer))
    assert str(caught.value).startswith("cannot read payment (schema version 2): ValueError: 'SUSPENDED'")
    for secret in ("Jane", "jane@example.com", "+911234", "tok_"):
        assert secret not in str(caught.value)


def test_a_higher_schema_version_with_known_words_is_read_and_kept() -> None:
    item = {**ITEMS[CURRENT]["payment"][0], "schemaVersion": {"N": "9"}}
    database = stored_in(TRANSACTIONS, item)
    before = from_item(from_attributes(item))
    lease = Lease(owner="me", epoch=9, expires_at_ms=before.lease.expires_at_ms + 99_000)
    claimed = payments_over(database).claim(
        id_of(before), version=before.version, lease=lease, now_ms=before.lease.expires_at_ms + 1
    )
    assert isinstance(claimed, Stored)
    assert found_in(database, TRANSACTIONS, item)["schemaVersion"] == {"N": "9"}


def accepted_item() -> dict[str, Any]:
    return next(item for item in ITEMS[CURRENT]["payment"] if not item["attempts"]["L"])


def test_an_item_of_a_newer_layout_gets_no_attempt_before_it_was_read() -> None:
    """A claim by the message's version alone would append an attempt to an item that nobody could go on with."""
    item = {**accepted_item(), "schemaVersion": {"N": "9"}, "capture": {"S": "later"}}
    database = stored_in(TRANSACTIONS, item)
    readable = from_item(from_attributes({**item, "capture": {"S": "manual"}}))
    attempt = write.attempt(1, AttemptState.STARTED)
    lease = Lease(owner="me", epoch=1, expires_at_ms=write.NOW_MS + 45_000)
    with pytest.raises(UnreadableItemError):
        payments_over(database).claim(
            id_of(readable), version=readable.version, lease=lease, now_ms=write.NOW_MS, append=attempt
        )
    assert found_in(database, TRANSACTIONS, item) == item


def test_an_item_of_a_newer_layout_that_can_be_read_gets_its_attempt() -> None:
    item = {**accepted_item(), "schemaVersion": {"N": "9"}, NEW: {"S": "x"}}
    database = stored_in(TRANSACTIONS, item)
    before = from_item(from_attributes(item))
    lease = Lease(owner="me", epoch=1, expires_at_ms=write.NOW_MS + 45_000)
    attempt = write.attempt(1, AttemptState.STARTED)
    claimed = payments_over(database).claim(
        id_of(before), version=before.version, lease=lease, now_ms=write.NOW_MS, append=attempt
    )
    assert isinstance(claimed, Stored)
    assert [known.state for known in claimed.item.attempts] == [AttemptState.STARTED]
    assert found_in(database, TRANSACTIONS, item)[NEW] == {"S": "x"}


# -- messages


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_of_each_release_are_read_and_sent_with_the_same_names(version: str) -> None:
    """Byte for byte: `movement_key` and `movement_reference` are older than the fields' names."""
    stored = json.loads((Path(write.HERE) / version / "messages.json").read_text())
    assert stored.keys() == write.CODECS.keys()
    for queue, bodies in stored.items():
        codec: Any = write.CODECS[queue]
        for body in bodies:
            assert codec.encode(codec.decode(body), None) == body
    assert any("movement_key" in body and "movement_reference" in body for body in stored["provider_events"])


@pytest.mark.parametrize("body", write.messages()["provider_events"])
def test_a_provider_event_that_is_put_back_keeps_unknown_fields(body: str) -> None:
    newer = json.loads(body) | {NEW: {"a": 1}}
    for name in ("charged", "moved"):
        if name in newer:
            newer[name][NEW] = "x"
    codec = write.CODECS["provider_events"]
    again = codec.encode(replace(codec.decode(json.dumps(newer)), tries=3), None)  # type: ignore[arg-type, type-var]
    assert json.loads(again) == newer | {"tries": 3}


def test_the_status_of_every_payment_is_among_the_items() -> None:
    for items in ITEMS.values():
        assert {item["status"]["S"] for item in items["payment"]} == set(PaymentStatus)
