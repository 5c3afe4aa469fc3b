"""The base of every room: the stack, the data, the code, and how this environment makes functions and queues."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.constructs.monitoring.metrics import NAMESPACE
from infra.constructs.shared.dependencies_layer import locked_versions
from infra.constructs.shared.egress import FixedEgress
from infra.constructs.shared.function import Audience, PayFlowXFunction
from infra.constructs.shared.schedules import Schedules
from infra.constructs.shared.tables import Tables
from infra.constructs.shared.work_queue import WorkQueue
from infra.settings import EnvironmentSettings

_ENTRYPOINTS = "payflowx.entrypoints"
Setting = Literal[
    "ALLOWED_PROVIDERS",
    "API_KEY_MODE",
    "CHARGE_DEADLINE_HOURS",
    "CHECKOUT_ENABLED",
    "CHECKOUT_WAIT_SECONDS",
    "COMPACT_PAYMENTS",
    "DUE_SHARDS",
    "LIST_PARTITIONS",
    "LOOPBACK_ALLOWED",
    "MAX_RETRIES",
    "NOT_SENT_PATIENCE_MINUTES",
    "WRITE_NEW_PARTITIONS",
]
"""Variables that state a setting of the environment. A function has those that its code reads; a test compares."""
RETRIES: tuple[Setting, ...] = ("MAX_RETRIES", "CHARGE_DEADLINE_HOURS", "NOT_SENT_PATIENCE_MINUTES")
"""Settings of every function that may end a payment."""
PARTITIONS: tuple[Setting, ...] = ("LIST_PARTITIONS", "DUE_SHARDS", "WRITE_NEW_PARTITIONS")
"""Settings of every function that writes payments or their events, or lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """`scope` is the service stack; key, tables and the secrets that sign are the data stack's."""

    scope: Construct
    settings: EnvironmentSettings
    key: kms.IKey
    tables: Tables
    cursor_secret: secretsmanager.ISecret
    checkout_secret: secretsmanager.ISecret
    code: lambda_.Code
    layers: tuple[lambda_.ILayerVersion, ...]
    schedules: Schedules
    egress: FixedEgress | None = None

    def function(
        self,
        construct_id: str,
        *,
        handler: str,
        service: str,
        description: str,
        timeout: Duration,
        memory_mb: int = 512,
        reads: Sequence[Setting] = (),
        sends_to_itself: bool = False,
        audience: Audience | None = None,
        calls_out: bool = False,
        max_executions: int | None = None,
    ) -> PayFlowXFunction:
        """Make a function without rights, which reads the settings `reads`.

        `sends_to_itself`: its messages may come back to it, so that Lambda must not take them for a runaway loop.
        `audience`: the party that waits for its answer; None where a queue, a schedule or an operator calls it.
        `calls_out`: it calls providers or merchants' servers, which may admit fixed addresses only.
        `max_executions`: more are refused, and so many are kept for it; None: no limit of its own.

        `handler` is a module of `payflowx.entrypoints`. `service` names the function in logs and metrics: dashboards
        and saved queries filter by it, so it never changes.
        """
        return PayFlowXFunction(
            self.scope,
            construct_id,
            handler=f"{_ENTRYPOINTS}.{handler}.handler",
            description=f"PayFlowX: {description}",
            code=self.code,
            layers=list(self.layers),
            timeout=timeout,
            memory_mb=memory_mb,
            environment=self._environment(service) | {name: self._value(name) for name in reads},
            key=self.key,
            settings=self.settings,
            sends_to_itself=sends_to_itself,
            audience=audience,
            egress=self.egress if calls_out else None,
            max_executions=max_executions,
        )

    def queue(
        self,
        scope: Construct,
        construct_id: str,
        *,
        content: str,
        consumer_timeout: Duration,
        impairs_payments: bool,
    ) -> WorkQueue:
        """Make a queue with its dead-letter queue."""
        return WorkQueue(
            scope,
            construct_id,
            content=content,
            key=self.key,
            consumer_timeout=consumer_timeout,
            impairs_payments=impairs_payments,
        )

    def _environment(self, service: str) -> dict[str, str]:
        return {
            "ENVIRONMENT": self.settings.name,
            "POWERTOOLS_SERVICE_NAME": service,
            "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "LOCKED_VERSIONS": locked_versions(),
        }

    def _value(self, setting: Setting) -> str:
        settings = self.settings
        values: dict[Setting, str] = {
            "ALLOWED_PROVIDERS": ",".join(settings.providers),
            "API_KEY_MODE": settings.api_key_mode,
            "CHARGE_DEADLINE_HOURS": str(settings.charge_deadline_hours),
            "CHECKOUT_ENABLED": "true" if settings.checkout else "false",
            "CHECKOUT_WAIT_SECONDS": str(settings.checkout_wait_seconds),
            "COMPACT_PAYMENTS": "true" if settings.compact_payments else "false",
            "DUE_SHARDS": str(settings.due_shards),
            "LIST_PARTITIONS": str(settings.list_partitions),
            "LOOPBACK_ALLOWED": "true" if settings.loopback_allowed else "false",
            "MAX_RETRIES": str(settings.max_retries),
            "NOT_SENT_PATIENCE_MINUTES": str(settings.not_sent_patience_minutes),
            "WRITE_NEW_PARTITIONS": "true" if settings.write_new_partitions else "false",
        }
        return values[setting]
