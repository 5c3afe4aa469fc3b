"""The reconciler: starts reconciliations, carries them on, and shows them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.adapters.dynamodb.merchants.accounts import DynamoDBAccountDirectory
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.payments.open_disputes import DynamoDBOpenDisputes
from payflowx.adapters.dynamodb.reconciliation.lookups import DynamoDBLookups
from payflowx.adapters.dynamodb.reconciliation.runs import DynamoDBRuns
from payflowx.adapters.settlement_files import S3SettlementFiles
from payflowx.adapters.sqs.messages import RUNS
from payflowx.adapters.sqs.queue import Queue
from payflowx.application.disputes.warn_of_deadlines import WarnOfDeadlines
from payflowx.application.reconciliation.list_runs import ListRuns
from payflowx.application.reconciliation.match_entries import MatchEntries
from payflowx.application.reconciliation.reconcile import Reconcile
from payflowx.application.reconciliation.resolve_discrepancy import ResolveDiscrepancy
from payflowx.application.reconciliation.start_reconciliations import StartReconciliations
from payflowx.wiring.platform import Platform
from payflowx.wiring.refunds import RefundReader, RefundReaderSettings


@dataclass(frozen=True, kw_only=True)
class ReconcilerSettings(RefundReaderSettings):
    runs_queue_url: str
    settlements_bucket: str


@dataclass(kw_only=True)
class ReconcilerWiring(RefundReader):
    settings: ReconcilerSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=ReconcilerSettings.from_environment(platform.environment))

    @cached_property
    def runs(self) -> DynamoDBRuns:
        return DynamoDBRuns(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    @cached_property
    def run_queue(self) -> Queue[str]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.runs_queue_url, codec=RUNS)

    @cached_property
    def start_reconciliations(self) -> StartReconciliations:
        directory = DynamoDBAccountDirectory(
            client=self.platform.clients.dynamodb, table=self.settings.configuration_table
        )
        audit_log = DynamoDBMerchantDirectory(
            client=self.platform.clients.dynamodb, table=self.settings.configuration_table
        )
        return StartReconciliations(
            directory=directory,
            runs=self.runs,
            queue=self.run_queue,
            providers=self.providers,
            audit_log=audit_log,
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def list_runs(self) -> ListRuns:
        directory = DynamoDBAccountDirectory(
            client=self.platform.clients.dynamodb, table=self.settings.configuration_table
        )
        return ListRuns(directory=directory, runs=self.runs, providers=self.providers, clock=self.platform.clock)

    @cached_property
    def warn_of_deadlines(self) -> WarnOfDeadlines:
        return WarnOfDeadlines(
            directory=DynamoDBAccountDirectory(
                client=self.platform.clients.dynamodb, table=self.settings.configuration_table
            ),
            open_disputes=DynamoDBOpenDisputes(
                client=self.platform.clients.dynamodb, table=self.settings.transactions_table
            ),
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def reconcile(self) -> Reconcile:
        lookups = DynamoDBLookups(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)
        return Reconcile(
            runs=self.runs,
            queue=self.run_queue,
            lookups=lookups,
            compare=MatchEntries(lookups=lookups, clock=self.platform.clock),
            action=self._resolve_discrepancy,
            providers=self.providers,
            files=self._settlement_files,
            merchants=self.merchants,
            payments=self.payments,
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )

    @property
    def _settlement_files(self) -> S3SettlementFiles:
        return S3SettlementFiles(
            client=self.platform.clients.s3,
            bucket=self.settings.settlements_bucket,
            read_row=lambda provider, row: self.providers.get(provider).connector.read_settlement(row),
        )

    @property
    def _resolve_discrepancy(self) -> ResolveDiscrepancy:
        return ResolveDiscrepancy(
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            record_provider_refunds=self.record_provider_refunds,
            clock=self.platform.clock,
            policy=self.policy,
        )
