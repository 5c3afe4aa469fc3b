"""Reconciliations and their findings: one item a run, rewritten page by page, and one item a difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.batches import get_items, put_items
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, storage_errors
from payflowx.adapters.dynamodb.core.reading import Unreadable, decodes, fields_of, or_unreadable, readable
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.domain.reconciliation.matching import MatchResult, ResolutionAction
from payflowx.domain.reconciliation.reports import EntryKind
from payflowx.domain.reconciliation.run import Discrepancy, Phase, Run, Source
from payflowx.domain.shared.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBRuns:
    """Implements `Runs`."""

    client: "DynamoDBClient"
    table: str

    def start(self, run: Run) -> Run:
        """Only where nothing is."""
        try:
            with storage_errors():
                self.client.put_item(
                    TableName=self.table,
                    Item=to_attributes(_run_to_item(run)),
                    ConditionExpression="attribute_not_exists(pk)",
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            stored = self.get(run.run_id)
            if stored is None:
                raise StorageUnavailableError("the reconciliation is there and cannot be read") from error
            return stored
        return run

    def get(self, run_id: str) -> Run | None:
        """A consistent read: the position decides what is done next."""
        with storage_errors():
            answer = self.client.get_item(
                TableName=self.table, Key=to_attributes(keys.run_key(run_id)), ConsistentRead=True
            )
        return _run_from_item(from_attributes(answer["Item"])) if "Item" in answer else None

    def all_of(self, run_ids: Sequence[str]) -> Mapping[str, Run | None]:
        """By their ids. One that cannot be read must not hide the others."""
        names = {keys.run_key(run_id)["pk"]: run_id for run_id in run_ids}
        found = get_items(self.client, self.table, [keys.run_key(run_id) for run_id in run_ids])
        read = {names[item["pk"]]: or_unreadable(_run_from_item)(item) for item in found}
        return {run_id: None if isinstance(run, Unreadable) else run for run_id, run in read.items()}

    def save(self, before: Run, after: Run) -> bool:
        """The counts and the position in one write. A failed condition may be our own write, repeated by the SDK."""
        expression = Expression()
        update = expression.update(_run_to_item(before), _run_to_item(after))
        try:
            with storage_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=to_attributes(keys.run_key(before.run_id)),
                    UpdateExpression=update,
                    ConditionExpression=expression.equals("version", before.version),
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return self.get(before.run_id) == after
        return True

    def report(self, run_id: str, discrepancies: Sequence[Discrepancy]) -> None:
        """By name: a difference that is found again is the same item."""
        put_items(self.client, self.table, [_discrepancy_to_item(run_id, discrepancy) for discrepancy in discrepancies])

    def known(self, run_id: str, names: Sequence[str]) -> Mapping[str, Discrepancy]:
        """Return the page's discrepancies that an earlier try stored."""
        unique = sorted(set(names))
        found = get_items(self.client, self.table, [keys.finding_key(run_id, name) for name in unique])
        discrepancies, _ = readable(map(or_unreadable(_discrepancy_from_item), found))
        return {discrepancy.name: discrepancy for discrepancy in discrepancies}

    def discrepancies(self, run_id: str, *, limit: int, after: str | None) -> tuple[Sequence[Discrepancy], str | None]:
        """By name."""
        expression = Expression()
        partition = expression.equals("pk", keys.run_key(run_id)["pk"])
        prefix = f"begins_with({expression.name('sk')}, {expression.value(keys.FINDING_PREFIX)})"
        start: dict[str, Any] = {"ExclusiveStartKey": to_attributes(keys.finding_key(run_id, after))} if after else {}
        with storage_errors():
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression=f"{partition} AND {prefix}",
                Limit=limit,
                **expression.arguments(),
                **start,
            )
        items = [from_attributes(item) for item in answer["Items"]]
        more = "LastEvaluatedKey" in answer and bool(items)
        return [_shown(item) for item in items], items[-1]["sk"].removeprefix(keys.FINDING_PREFIX) if more else None


_STORED_RUN_NAMES: Final = {"actions": "remedies"}
_STORED_DISCREPANCY_NAMES: Final = {"result": "verdict", "action": "remedy"}
"""Fields whose stored attribute has an older name than the field."""


def _run_to_item(run: Run) -> Item:
    stored = {_STORED_RUN_NAMES.get(name, name): value for name, value in fields_of(run).items()}
    return {**keys.run_key(run.run_id), "schemaVersion": keys.SCHEMA_VERSION, **stored}


@decodes("reconciliation run")
def _run_from_item(item: Item) -> Run:
    stored = {name: _STORED_RUN_NAMES.get(name, name) for name in Run.__dataclass_fields__}
    fields = {name: item[attribute] for name, attribute in stored.items() if attribute in item}
    absent = {name: None for name in ("file", "cursor", "problem") if name not in fields}
    return Run(**{**fields, **absent, "source": Source(fields["source"]), "phase": Phase(fields["phase"])})


def _discrepancy_to_item(run_id: str, discrepancy: Discrepancy) -> Item:
    stored = {_STORED_DISCREPANCY_NAMES.get(name, name): value for name, value in fields_of(discrepancy).items()}
    return {**keys.finding_key(run_id, discrepancy.name), "schemaVersion": keys.SCHEMA_VERSION, **stored}


@decodes("discrepancy")
def _discrepancy_from_item(item: Item) -> Discrepancy:
    stored = {name: _STORED_DISCREPANCY_NAMES.get(name, name) for name in Discrepancy.__dataclass_fields__}
    fields: dict[str, Any] = {name: item.get(attribute) for name, attribute in stored.items()}
    return Discrepancy(
        **{
            **fields,
            "result": MatchResult(fields["result"]),
            "action": ResolutionAction(fields["action"]),
            "kind": EntryKind(fields["kind"]),
        }
    )


def _shown(item: Item) -> Discrepancy:
    """Return the discrepancy; of one that this release cannot read, what it is about."""
    read = or_unreadable(_discrepancy_from_item)(item)
    if not isinstance(read, Unreadable):
        return read
    return Discrepancy(
        result=MatchResult.UNREADABLE,
        action=ResolutionAction.NONE,
        kind=EntryKind.REFUND if item.get("operation_id") else EntryKind.CHARGE,
        reference=str(item.get("reference", "")),
        provider_key=None,
        transaction_id=item.get("transaction_id"),
        operation_id=item.get("operation_id"),
        their_amount=None,
        our_amount=None,
        currency=str(item.get("currency", "")),
        at_ms=0,
    )
