"""The settings of the operations function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from payflowx.adapters.sqs.dead_letters import QueuePair
from payflowx.domain.recovery.ports import WorkQueueName
from payflowx.wiring.merchant_events import MerchantEventSettings
from payflowx.wiring.reading import LedgerReaderSettings
from payflowx.wiring.refunds import RefundReaderSettings


@dataclass(frozen=True, kw_only=True)
class OperatorsSettings(RefundReaderSettings, LedgerReaderSettings, MerchantEventSettings):
    """A work queue has an address, one for its dead letters, and the log group of the function that consumes it."""

    account_secrets_key_arn: str
    api_key_mode: str
    checkout_token_secret_arn: str
    loopback_allowed: bool
    routing_application: str
    routing_environment: str
    routing_profile: str
    routing_strategy: str
    notices_queue_url: str
    runs_queue_url: str
    slowjobs_queue_url: str
    slowdeliveries_queue_url: str
    jobs_dead_letters_url: str
    notices_dead_letters_url: str
    deliveries_dead_letters_url: str
    runs_dead_letters_url: str
    slowjobs_dead_letters_url: str
    slowdeliveries_dead_letters_url: str
    jobs_log_group: str
    notices_log_group: str
    deliveries_log_group: str
    runs_log_group: str
    slowjobs_log_group: str
    slowdeliveries_log_group: str

    @property
    def queues(self) -> Mapping[WorkQueueName, QueuePair]:
        return {
            name: QueuePair(
                queue_url=getattr(self, f"{content}_queue_url"),
                dead_letters_url=getattr(self, f"{content}_dead_letters_url"),
            )
            for name, content in _CONTENTS.items()
        }

    @property
    def log_groups(self) -> Mapping[WorkQueueName, str]:
        return {name: getattr(self, f"{content}_log_group") for name, content in _CONTENTS.items()}


_CONTENTS: Final[Mapping[WorkQueueName, str]] = {
    WorkQueueName.JOBS: "jobs",
    WorkQueueName.SLOW_JOBS: "slowjobs",
    WorkQueueName.PROVIDER_EVENTS: "notices",
    WorkQueueName.DELIVERIES: "deliveries",
    WorkQueueName.SLOW_DELIVERIES: "slowdeliveries",
    WorkQueueName.RUNS: "runs",
}
"""Every work queue, and the beginning of its settings' names."""
