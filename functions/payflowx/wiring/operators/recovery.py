"""Dead letters, and the restore of the tables."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.payments.references import DynamoDBReferences
from payflowx.adapters.dynamodb.reconciliation.runs import DynamoDBRuns
from payflowx.adapters.failure_log import CloudWatchFailures
from payflowx.adapters.sqs.dead_letters import decode_message
from payflowx.adapters.sqs.messages import PROVIDER_EVENTS, RUNS
from payflowx.adapters.sqs.queue import Queue
from payflowx.application.inbound_webhooks.match_event import MatchEvent
from payflowx.application.recovery.inspect_dead_letters import InspectDeadLetters
from payflowx.application.recovery.notify_restore import NotifyRestore
from payflowx.application.recovery.plan_replay import PlanReplay
from payflowx.application.recovery.replay_dead_letters import PurgeDeadLetters, ReplayDeadLetters
from payflowx.application.recovery.restore import RaiseEventNumbers, RecordRestore
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.wiring.operators.reviews import ReviewCommands


@dataclass(kw_only=True)
class RecoveryCommands(ReviewCommands):
    @cached_property
    def plan_replay(self) -> PlanReplay:
        references = DynamoDBReferences(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)
        return PlanReplay(
            items=self.work_items,
            merchants=self.merchants,
            find=MatchEvent(payments=self.payments, operations=self.operations, references=references),
            merchant_events=self.merchant_events,
            runs=self.runs,
            decode=decode_message,
            clock=self.platform.clock,
            policy=self.policy,
        )

    @cached_property
    def inspect_dead_letters(self) -> InspectDeadLetters:
        failure_log = CloudWatchFailures(client=self.platform.clients.logs, log_groups=self.settings.log_groups)
        return InspectDeadLetters(
            dead_letters=self.dead_letters,
            plan=self.plan_replay,
            failure_log=failure_log,
            clock=self.platform.clock,
        )

    @cached_property
    def replay_dead_letters(self) -> ReplayDeadLetters:
        return ReplayDeadLetters(
            dead_letters=self.dead_letters,
            plan=self.plan_replay,
            resolve_payment=self.resolve_payment,
            jobs=self.jobs,
            provider_events=self.provider_events,
            deliveries=self.deliveries,
            run_queue=self.run_queue,
            merchant_directory=self.merchant_directory,
            clock=self.platform.clock,
        )

    @cached_property
    def purge_dead_letters(self) -> PurgeDeadLetters:
        return PurgeDeadLetters(
            dead_letters=self.dead_letters, merchant_directory=self.merchant_directory, clock=self.platform.clock
        )

    @cached_property
    def provider_events(self) -> Queue[ReceivedEvent]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.notices_queue_url, codec=PROVIDER_EVENTS)

    @cached_property
    def run_queue(self) -> Queue[str]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.runs_queue_url, codec=RUNS)

    @cached_property
    def runs(self) -> DynamoDBRuns:
        return DynamoDBRuns(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    @cached_property
    def record_restore(self) -> RecordRestore:
        return RecordRestore(merchant_directory=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def notify_restore(self) -> NotifyRestore:
        return NotifyRestore(
            merchant_directory=self.merchant_directory,
            endpoint_store=self.endpoints,
            merchant_events=self.merchant_events,
            clock=self.platform.clock,
        )

    @cached_property
    def raise_event_numbers(self) -> RaiseEventNumbers:
        return RaiseEventNumbers(
            merchant_directory=self.merchant_directory,
            payments=self.payments,
            outcome_writer=self.outcome_writer,
            clock=self.platform.clock,
            policy=self.policy,
        )
