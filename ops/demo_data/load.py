"""Stores the data in an environment: tables, dead letters, the simulators' books, and the history of the metrics."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import urllib3

from ops.demo_data.make import DemoData
from ops.demo_data.place import Place
from ops.demo_data.world import Measured
from ops.errors import Exit, OperatorError
from ops.target import Target, aws_errors

T = TypeVar("T")

_BATCH: Final = 25
_TRIES: Final = 8
_PERIOD_MS: Final = 60_000
_VALUES: Final = 150
"""CloudWatch's limit of values a datum."""
_DATA: Final = 200
_BOOKS_CHARS: Final = 40_000
"""Of a simulator's books in one request; it takes 64 KiB."""
_TIMEOUT_SECONDS: Final = 10


def load(target: Target, place: Place, data: DemoData) -> None:
    """The payment that marks the data as complete comes last. A load that was interrupted can be repeated."""
    for provider, records in data.books.items():
        _load_books(target, provider, records)
    with aws_errors("store the demo data", changing=True):
        _put_metrics(target.client("cloudwatch"), data.measured)
        sqs = target.client("sqs")
        for url, bodies in data.dead_letters.items():
            for body in bodies:
                sqs.send_message(QueueUrl=url, MessageBody=body)
        tables = sorted(data.items, key=lambda name: name == place.settings["TRANSACTIONS_TABLE"])
        for table in tables:
            _put_items(target.client("dynamodb"), table, data.items[table])


def _put_items(client: Any, table: str, items: Sequence[dict[str, Any]]) -> None:
    for batch in _parts(items, _BATCH):
        left = [{"PutRequest": {"Item": item}} for item in batch]
        for tries in range(_TRIES):
            left = client.batch_write_item(RequestItems={table: left}).get("UnprocessedItems", {}).get(table, [])
            if not left:
                break
            time.sleep(0.05 * 2**tries)
        else:
            raise OperatorError(f"The table {table} takes no more items now.", Exit.UNAVAILABLE, hint="Try again.")


def _load_books(target: Target, provider: str, records: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
    """Only servers of the local environment take books; deployed simulators begin with empty ones."""
    address = target.simulators.get(provider)
    if address is None:
        return
    for body in _pages([json.dumps(record) for record in records]):
        answer = urllib3.request(
            "POST", f"{address}/_control", body=body, timeout=_TIMEOUT_SECONDS, retries=False, redirect=False
        )
        if answer.status != 200:
            raise OperatorError(
                f"The simulator of {provider} does not take its books.", Exit.FAILED, hint=answer.data.decode()[:200]
            )


def _pages(records: Sequence[str]) -> Iterator[str]:
    page: list[str] = []
    for record in records:
        if page and sum(map(len, page)) + len(record) > _BOOKS_CHARS:
            yield _page(page)
            page = []
        page.append(record)
    if page:
        yield _page(page)


def _page(records: Sequence[str]) -> str:
    return f'{{"records": [{", ".join(records)}]}}'


def _put_metrics(client: Any, measured: Sequence[Measured]) -> None:
    for namespace in sorted({value.namespace for value in measured}):
        data = list(_data([value for value in measured if value.namespace == namespace]))
        for part in _parts(data, _DATA):
            client.put_metric_data(Namespace=namespace, MetricData=part)


def _data(measured: Sequence[Measured]) -> Iterator[dict[str, Any]]:
    """All values of a metric and minute together."""
    grouped: dict[Any, list[float]] = defaultdict(list)
    for value in measured:
        dimensions = tuple(sorted(value.dimensions.items()))
        grouped[value.name, value.unit, dimensions, value.at_ms // _PERIOD_MS].append(value.value)
    for (name, unit, dimensions, minute), values in grouped.items():
        for part in _parts(values, _VALUES):
            yield {
                "MetricName": name,
                "Unit": unit,
                "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions],
                "Timestamp": datetime.fromtimestamp(minute * _PERIOD_MS / 1000, UTC),
                "Values": part,
            }


def _parts(several: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(several), size):
        yield list(several[start : start + size])
