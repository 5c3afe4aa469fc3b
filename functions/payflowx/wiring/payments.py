"""The worker: charges payments, carries operations out, resolves attempts."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.adapters.sqs.messages import JOBS
from payflowx.adapters.sqs.queue import Queue
from payflowx.adapters.sqs.queue_room import QueueRoom
from payflowx.application.payments.claim_item import ClaimItem
from payflowx.application.payments.complete_charge import CompleteCharge
from payflowx.application.payments.confirm_authorization import ConfirmAuthorization
from payflowx.application.payments.hand_over_job import HandOverJob
from payflowx.application.payments.new_attempts import NewAttempts
from payflowx.application.payments.process_job import ProcessJob
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.application.payments.resume_restored import ResumeRestored
from payflowx.application.payments.search_forgotten import SearchForgotten
from payflowx.application.payments.send_charge import SendCharge
from payflowx.application.payments.settle_order import SettleOrder
from payflowx.application.payments.void_on_request import VoidOnRequest
from payflowx.domain.payments.ports import Job
from payflowx.domain.shared.slow_lane import SlowLane
from payflowx.wiring.platform import Platform
from payflowx.wiring.provider_health import ProviderHealthAccess
from payflowx.wiring.refunds import RefundReader, RefundReaderSettings


@dataclass(frozen=True, kw_only=True)
class WorkerSettings(RefundReaderSettings):
    slowjobs_queue_url: str
    slowjobs_late_at: int
    """The number of waiting messages from which on the slow lane gets no more."""


@dataclass(kw_only=True)
class WorkerWiring(RefundReader, ProviderHealthAccess):
    settings: WorkerSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=WorkerSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.process_job, self.platform.http, self.platform.secrets, self.platform.concurrency
        _ = self.providers.capabilities()

    @cached_property
    def process_job(self) -> ProcessJob:
        hand_over = HandOverJob(
            items=self.work_items, health=self.health, slow_lane=self._slow_lane, clock=self.platform.clock
        )
        complete_charge = CompleteCharge(payments=self.payments)
        send_charge = SendCharge(payments=self.payments, complete_charge=complete_charge)
        search_forgotten = SearchForgotten(providers=self.providers, max_retries=self.policy.max_retries)
        return ProcessJob(
            merchants=self.merchants,
            providers=self.providers,
            hand_over=hand_over,
            claim_item=self._claim_item(hand_over, search_forgotten),
            send_charge=send_charge,
            resolve_attempt=ResolveAttempt(
                send_charge=send_charge,
                complete_charge=complete_charge,
                confirm_authorization=ConfirmAuthorization(search_forgotten=search_forgotten),
            ),
            outcome_writer=self.outcome_writer,
            record_provider_refunds=self.record_provider_refunds,
            health=self.health,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    def _claim_item(self, hand_over: HandOverJob, search_forgotten: SearchForgotten) -> ClaimItem:
        return ClaimItem(
            items=self.work_items,
            new_attempts=NewAttempts(providers=self.providers, clock=self.platform.clock, policy=self.policy),
            hand_over=hand_over,
            outcome_writer=self.outcome_writer,
            void_on_request=VoidOnRequest(providers=self.providers),
            settle_order=SettleOrder(keep_order=self.keep_order, operations=self.operations, providers=self.providers),
            restored=ResumeRestored(
                items=self.work_items,
                providers=self.providers,
                search_forgotten=search_forgotten,
                clock=self.platform.clock,
                telemetry=self.telemetry,
            ),
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @property
    def _slow_lane(self) -> SlowLane[Job]:
        jobs = Queue(client=self.platform.clients.sqs, url=self.settings.slowjobs_queue_url, codec=JOBS)
        room = QueueRoom(
            waiting=jobs.waiting,
            late_at=self.settings.slowjobs_late_at,
            now_ms=self.platform.clock.now_ms,
            telemetry=self.telemetry,
        )
        return SlowLane(send=jobs.send, room=room, telemetry=self.telemetry)
