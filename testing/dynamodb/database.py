"""The operations: what boto3's DynamoDB client takes, and what it answers or raises. At once, without faults."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from testing.dynamodb import expressions
from testing.dynamodb.tables import Key, Schema, Table
from testing.dynamodb.throughput import Place, Throughput, write_places
from testing.dynamodb.values import Item, order_of

_TOKEN_LIFETIME_MS: Final = 600_000
_MAX_ACTIONS: Final = 100
_MAX_BATCH_READS: Final = 100
_MAX_BATCH_WRITES: Final = 25
_STALE_MS: Final = 1_000

Observer = Callable[[str, Key, Item | None, Item | None], None]


def client_error(operation: str, code: str, message: str, **more: Any) -> ClientError:
    """As botocore makes it."""
    response: Any = {"Error": {"Code": code, "Message": message}, **more}
    return ClientError(response, operation)


@dataclass(slots=True)
class Database:
    """`now_ms` is the time; `lag_ms` how long an index takes for a change; `is_stale` whether a read is.

    `throughput`: the limits of partitions; None where nothing is throttled.
    """

    tables: Mapping[str, Table]
    now_ms: Callable[[], int] = lambda: 0
    lag_ms: Callable[[], int] = lambda: 0
    is_stale: Callable[[], bool] = lambda: False
    observe: Observer = lambda _table, _key, _before, _after: None
    throughput: Throughput | None = None
    _tokens: dict[str, tuple[int, Any]] = field(default_factory=dict)

    # -- single items

    def get_item(self, **request: Any) -> dict[str, Any]:
        """GetItem."""
        table, key = self._find(request)
        is_consistent = bool(request.get("ConsistentRead"))
        if is_consistent or not self.is_stale():
            item = table.get(key)
        else:
            item = table.get_stale(key, self.now_ms() - _STALE_MS)
        self._check_read("GetItem", (table.name, key[0]), [item] if item else [], consistent=is_consistent)
        return {} if item is None else {"Item": item}

    def put_item(self, **request: Any) -> dict[str, Any]:
        """PutItem."""
        return self._single("PutItem", request, self._planned_put)

    def update_item(self, **request: Any) -> dict[str, Any]:
        """UpdateItem."""
        return self._single("UpdateItem", request, self._planned_update)

    def delete_item(self, **request: Any) -> dict[str, Any]:
        """DeleteItem."""
        return self._single("DeleteItem", request, self._planned_delete)

    def _single(
        self, operation: str, request: Mapping[str, Any], plan: "Callable[[Mapping[str, Any]], _Planned]"
    ) -> dict[str, Any]:
        try:
            planned = plan(request)
        except expressions.ExpressionError as error:
            raise client_error(operation, "ValidationException", str(error)) from None
        if self._throttled([planned], factor=1):
            raise _throttling(operation)
        if not planned.holds:
            more = {}
            if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and planned.before is not None:
                more = {"Item": planned.before}
            raise client_error(operation, "ConditionalCheckFailedException", "The conditional request failed", **more)
        self._apply(planned)
        returned = {"ALL_NEW": planned.after, "ALL_OLD": planned.before}.get(request.get("ReturnValues", "NONE"))
        return {} if returned is None else {"Attributes": returned}

    # -- reading several

    def query(self, **request: Any) -> dict[str, Any]:
        """Query. Sizes are not modelled: the limit alone ends a page."""
        try:
            return self._query(request)
        except expressions.ExpressionError as error:
            raise client_error("Query", "ValidationException", str(error)) from None

    def _query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        _check_aliases(request)
        table = self._table(request, "Query")
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        text = request["KeyConditionExpression"]
        index = table.indexes[request["IndexName"]] if "IndexName" in request else None
        schema = index.schema if index else table.schema
        wanted = _partition_of(text, names, values, schema)
        rows = index.rows(wanted, self.now_ms()) if index else table.rows(wanted)
        matches = expressions.condition(text, tuple(names.items()))
        place = (f"{table.name}/{request['IndexName']}" if index else table.name, wanted)
        is_consistent = bool(request.get("ConsistentRead"))
        if not rows and "FilterExpression" not in request:
            self._check_read("Query", place, [], consistent=is_consistent)
            return {"Items": [], "Count": 0}  # most of a sweeper's queries
        rows = [row for row in rows if matches(row, values)]
        forward = request.get("ScanIndexForward", True)
        rows = _continued(rows, request.get("ExclusiveStartKey"), table.schema, schema, forward=forward)
        limit = request.get("Limit", len(rows) + 1)
        page = rows[:limit]
        self._check_read("Query", place, page, consistent=is_consistent)
        answer: dict[str, Any] = {}
        if len(rows) >= limit and page:
            last = page[-1]
            answer["LastEvaluatedKey"] = {**table.schema.attributes(last), **schema.attributes(last)}
        if "FilterExpression" in request:
            keep = expressions.condition(request["FilterExpression"], tuple(names.items()))
            page = [row for row in page if keep(row, values)]
        if "ProjectionExpression" in request:
            kept = {names.get(name, name) for name in request["ProjectionExpression"].split(", ")}
            page = [{name: value for name, value in row.items() if name in kept} for row in page]
        return {"Items": page, "Count": len(page), **answer}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """BatchGetItem; the answer has no order."""
        found: dict[str, list[Item]] = {}
        asked = [(name, repr(key)) for name, wanted in request["RequestItems"].items() for key in wanted["Keys"]]
        if not 1 <= len(asked) <= _MAX_BATCH_READS or len(set(asked)) != len(asked):
            raise client_error("BatchGetItem", "ValidationException", "1 to 100 different keys are needed")
        for name, wanted in request["RequestItems"].items():
            keys = [dict(key) for key in wanted["Keys"]]
            answers = [
                self.get_item(TableName=name, Key=key, ConsistentRead=wanted.get("ConsistentRead")) for key in keys
            ]
            found[name] = [answer["Item"] for answer in answers if "Item" in answer]
        return {"Responses": found, "UnprocessedKeys": {}}

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        """BatchWriteItem: up to 25 unconditional writes, each of an item of its own."""
        writes = [(table, write) for table, several in request["RequestItems"].items() for write in several]
        if not 1 <= len(writes) <= _MAX_BATCH_WRITES:
            raise client_error("BatchWriteItem", "ValidationException", "1 to 25 writes are needed")
        planned = [self._planned_in_batch(table, write) for table, write in writes]
        if len({(plan.table.name, plan.key) for plan in planned}) != len(planned):
            raise client_error("BatchWriteItem", "ValidationException", "Two writes are of one item")
        for plan in planned:
            self._apply(plan)
        return {"UnprocessedItems": {}}

    def _planned_in_batch(self, table: str, write: Mapping[str, Any]) -> "_Planned":
        ((verb, request),) = write.items()
        plan = self._planned_put if verb == "PutRequest" else self._planned_delete
        return plan({"TableName": table, **request})

    # -- transactions

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All or nothing. The same token with the same items within ten minutes does nothing again."""
        items: Sequence[Mapping[str, Any]] = request["TransactItems"]
        token = request.get("ClientRequestToken")
        if token is not None and self._is_repeated(token, items):
            return {}
        if not 1 <= len(items) <= _MAX_ACTIONS:
            raise client_error("TransactWriteItems", "ValidationException", "1 to 100 actions are needed")
        try:
            planned = [self._planned(item) for item in items]
        except expressions.ExpressionError as error:
            raise client_error("TransactWriteItems", "ValidationException", str(error)) from None
        if len({(plan.table.name, plan.key) for plan in planned}) != len(planned):
            message = "Transaction request cannot include multiple operations on one item"
            raise client_error("TransactWriteItems", "ValidationException", message)
        if throttled := self._throttled(planned, factor=2):
            raise cancelled([{"Code": "ThrottlingError" if plan in throttled else "None"} for plan in planned])
        if not all(plan.holds for plan in planned):
            raise cancelled([_reason(plan, item) for plan, item in zip(planned, items, strict=True)])
        for plan in planned:
            self._apply(plan)
        if token is not None:
            self._tokens[token] = (self.now_ms(), items)
        return {}

    def _is_repeated(self, token: str, items: Any) -> bool:
        at_ms, before = self._tokens.get(token, (0, None))
        if before is None or self.now_ms() - at_ms >= _TOKEN_LIFETIME_MS:
            return False
        if before != items:
            code = "IdempotentParameterMismatchException"
            raise client_error("TransactWriteItems", code, "The request token was used with other parameters")
        return True

    # -- limits of partitions

    def _throttled(self, planned: "Sequence[_Planned]", *, factor: int) -> "list[_Planned]":
        """Return the writes whose partition or index has no room: then none is made. Otherwise the units are spent,
        whether conditions hold or not.
        """
        if self.throughput is None:
            return []
        places = [(plan, write_places(plan.table, plan.key, plan.before, plan.after, factor)) for plan in planned]
        wanted: Counter[Place] = Counter()
        for _, units in places:
            wanted.update(units)
        full = self.throughput.admits_write(wanted)
        return [plan for plan, units in places if full & units.keys()]

    def _check_read(self, operation: str, place: Place, items: Sequence[Item], *, consistent: bool) -> None:
        if self.throughput is not None and not self.throughput.admits_read(place, items, consistent=consistent):
            raise _throttling(operation)

    # -- shared

    def _planned(self, action: Mapping[str, Any]) -> "_Planned":
        """A document that an update does not fit cancels the transaction with a reason of its own."""
        ((verb, request),) = action.items()
        try:
            return self._planned_as(verb, request)
        except expressions.DocumentError:
            table, key = self._find(request)
            return _Planned(table, key, table.get(key), None, holds=False, is_document_error=True)

    def _planned_as(self, verb: str, request: Mapping[str, Any]) -> "_Planned":
        match verb:
            case "Put":
                return self._planned_put(request)
            case "Update":
                return self._planned_update(request)
            case "Delete":
                return self._planned_delete(request)
            case _:
                return self._planned_check(request)

    def _planned_put(self, request: Mapping[str, Any]) -> "_Planned":
        _check_aliases(request)
        table = self._table(request, "PutItem")
        key = table.schema.key_of(request["Item"])
        before = table.get(key)
        return _Planned(table, key, before, request["Item"], _holds(request, before))

    def _planned_update(self, request: Mapping[str, Any]) -> "_Planned":
        table, key = self._find(request)
        before = table.get(key)
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        actions = expressions.update(request["UpdateExpression"], tuple(names.items()))
        if any(action.path[0] in {table.schema.partition, table.schema.sort} for action in actions):
            raise expressions.ExpressionError("Cannot update attribute: it is part of the key")
        if not _holds(request, before):
            return _Planned(table, key, before, before, holds=False)
        after = expressions.apply_update(actions, before if before is not None else dict(request["Key"]), values)
        return _Planned(table, key, before, after, holds=True)

    def _planned_delete(self, request: Mapping[str, Any]) -> "_Planned":
        table, key = self._find(request)
        before = table.get(key)
        return _Planned(table, key, before, None, _holds(request, before))

    def _planned_check(self, request: Mapping[str, Any]) -> "_Planned":
        table, key = self._find(request)
        before = table.get(key)
        return _Planned(table, key, before, before, _holds(request, before), is_check=True)

    def _apply(self, planned: "_Planned") -> None:
        if planned.is_check:
            return
        planned.table.put(planned.key, planned.after, self.now_ms(), self.lag_ms)
        self.observe(planned.table.name, planned.key, planned.before, planned.after)

    def _find(self, request: Mapping[str, Any]) -> tuple[Table, Key]:
        _check_aliases(request)
        table = self._table(request, "request")
        return table, table.schema.key_of(request["Key"])

    def _table(self, request: Mapping[str, Any], operation: str) -> Table:
        try:
            return self.tables[request["TableName"]]
        except KeyError:
            raise client_error(operation, "ResourceNotFoundException", "Requested resource not found") from None


@dataclass(slots=True, eq=False)
class _Planned:
    table: Table
    key: Key
    before: Item | None
    after: Item | None
    holds: bool
    is_check: bool = False
    is_document_error: bool = False


_EXPRESSIONS: Final = frozenset(
    {
        "ConditionExpression",
        "UpdateExpression",
        "KeyConditionExpression",
        "FilterExpression",
        "ProjectionExpression",
    }
)


def _check_aliases(request: Mapping[str, Any]) -> None:
    names, values = request.get("ExpressionAttributeNames", ()), request.get("ExpressionAttributeValues", ())
    texts = tuple([text for name, text in request.items() if name in _EXPRESSIONS])
    if texts or names or values:
        expressions.check_aliases(texts, tuple(names), tuple(values))


def _holds(request: Mapping[str, Any], before: Item | None) -> bool:
    if "ConditionExpression" not in request:
        return True
    names = request.get("ExpressionAttributeNames", {})
    test = expressions.condition(request["ConditionExpression"], tuple(names.items()))
    return test(before or {}, request.get("ExpressionAttributeValues", {}))


def _reason(planned: _Planned, action: Mapping[str, Any]) -> dict[str, Any]:
    if planned.holds:
        return {"Code": "None"}
    if planned.is_document_error:
        return {"Code": "ValidationError", "Message": "The update does not fit the item"}
    (request,) = action.values()
    reason: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and planned.before is not None:
        reason["Item"] = planned.before
    return reason


def _throttling(operation: str) -> ClientError:
    return client_error(operation, "ProvisionedThroughputExceededException", "The partition's throughput was exceeded")


def cancelled(reasons: Sequence[Mapping[str, Any]]) -> ClientError:
    """A cancelled transaction with its reasons, in the order of the request."""
    codes = ", ".join(str(reason["Code"]) for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return client_error(
        "TransactWriteItems", "TransactionCanceledException", message, CancellationReasons=list(reasons)
    )


def _partition_of(text: str, names: Mapping[str, str], values: Mapping[str, Any], schema: Schema) -> str:
    for name, alias in expressions.key_equalities(text):
        if names.get(name, name) == schema.partition:
            return str(next(iter(values[alias].values())))
    raise expressions.ExpressionError(f"Query condition missed key schema element: {schema.partition}")


def _continued(rows: list[Item], start: Item | None, table: Schema, schema: Schema, *, forward: bool) -> list[Item]:
    """Return the rows after the key at which the page before ended, whether an item still has that key or not."""

    def place(item: Item) -> tuple[Any, Key]:
        return (order_of(item[schema.sort]) if schema.sort else 0, table.key_of(item))

    if start is not None:
        end = place(start)
        rows = [row for row in rows if (place(row) > end if forward else place(row) < end)]
    return rows if forward else rows[::-1]
