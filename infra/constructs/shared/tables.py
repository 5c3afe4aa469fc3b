"""The three tables, billed by request: an idle deployment pays for storage only."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.monitoring.symptom import Symptom
from infra.settings import EnvironmentSettings

_THROTTLES = ("ReadThrottleEvents", "WriteThrottleEvents")
_STRING, _NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER


def _attribute(name: str, kind: dynamodb.AttributeType = _STRING) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, and the environment variable in which a function reads its name."""

    resource: dynamodb.TableV2
    variable: str
    indexes: tuple[str, ...] = ()

    def throttles(self) -> cloudwatch.MathExpression:
        """Requests that DynamoDB throttled, on the table and on its indexes."""
        metrics = {
            f"m{number}": metric
            for number, metric in enumerate(
                self._metric(name, index) for index in (None, *self.indexes) for name in _THROTTLES
            )
        }
        return cloudwatch.MathExpression(
            expression=" + ".join(f"FILL({short}, 0)" for short in metrics),
            using_metrics=metrics,
            period=Duration.minutes(5),
            label="throttled requests",
        )

    def _metric(self, name: str, index: str | None) -> cloudwatch.IMetric:
        dimensions = {"TableName": self.resource.table_name}
        return cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name=name,
            dimensions_map=dimensions if index is None else dimensions | {"GlobalSecondaryIndexName": index},
            statistic="Sum",
            period=Duration.minutes(5),
        )


class Tables(Construct):
    """Payments with their audit logs, idempotency keys, and the configuration of merchants."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: EnvironmentSettings) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self._settings = settings
        self.transactions = self._table(
            "Transactions",
            sort_key=True,
            indexes=[
                # Sparse: it holds an item only while work is left. A hash spreads the items over 16 partitions.
                self._index("due", "dueShard", _attribute("dueAt", _NUMBER)),
                # Its keys never change, so later writes of a payment cost nothing here.
                self._index("byMerchant", "merchantDay", _attribute("merchantDaySort")),
                # Sparse: it holds an item only while it is in manual review.
                self._index("reviews", "reviewsOf", _attribute("reviewSort")),
            ],
        )
        self.idempotency = self._table("Idempotency", sort_key=False)
        self.configuration = self._table("Configuration", sort_key=True)

    def alarms(self) -> dict[str, Symptom]:
        """One a table, whose requests on demand are throttled only when they outgrow it or one partition is hot."""
        tables = {
            "Transactions": self.transactions,
            "Idempotency": self.idempotency,
            "Configuration": self.configuration,
        }
        return {
            f"{name}TableThrottled": Symptom(
                metric=table.throttles(),
                threshold=1,
                periods=2,
                runbook="table-throttled",
                says="DynamoDB throttles requests of a table or of one of its indexes.",
            )
            for name, table in tables.items()
        }

    def outputs(self) -> dict[str, str]:
        """The tables' names, for operators."""
        return {
            "TransactionsTableName": self.transactions.resource.table_name,
            "IdempotencyTableName": self.idempotency.resource.table_name,
            "ConfigurationTableName": self.configuration.resource.table_name,
        }

    def _table(
        self, name: str, *, sort_key: bool, indexes: list[dynamodb.GlobalSecondaryIndexPropsV2] | None = None
    ) -> Table:
        resource = dynamodb.TableV2(
            self,
            name,
            partition_key=_attribute("pk"),
            sort_key=_attribute("sk") if sort_key else None,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self._key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._settings.protected,
            removal_policy=self._settings.table_removal_policy,
            time_to_live_attribute="expiresAt",
            global_secondary_indexes=indexes,
        )
        return Table(
            resource=resource,
            variable=f"{name.upper()}_TABLE",
            indexes=tuple(index.index_name for index in indexes or ()),
        )

    @staticmethod
    def _index(name: str, partition: str, sort: dynamodb.Attribute) -> dynamodb.GlobalSecondaryIndexPropsV2:
        return dynamodb.GlobalSecondaryIndexPropsV2(
            index_name=name,
            partition_key=_attribute(partition),
            sort_key=sort,
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
