"""The worker: charges payments, carries operations out, resolves attempts."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.application.payments.complete_charge import CompleteCharge
from payflowx.application.payments.process_job import ProcessJob
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.application.payments.resume_restored import ResumeRestored
from payflowx.application.payments.search_forgotten import SearchForgotten
from payflowx.application.payments.send_charge import SendCharge
from payflowx.application.payments.settle_order import SettleOrder
from payflowx.application.payments.void_on_request import VoidOnRequest
from payflowx.wiring.platform import Platform
from payflowx.wiring.refunds import RefundReader, RefundReaderSettings


@dataclass(frozen=True, kw_only=True)
class WorkerSettings(RefundReaderSettings):
    """Everything is inherited."""


@dataclass(kw_only=True)
class WorkerWiring(RefundReader):
    settings: WorkerSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=WorkerSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.process_job, self.platform.http, self.platform.secrets

    @cached_property
    def process_job(self) -> ProcessJob:
        complete_charge = CompleteCharge(payments=self.payments)
        send_charge = SendCharge(payments=self.payments, complete_charge=complete_charge)
        return ProcessJob(
            items=self.work_items,
            merchants=self.merchants,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            send_charge=send_charge,
            resolve_attempt=ResolveAttempt(send_charge=send_charge, complete_charge=complete_charge),
            record_provider_refunds=self.record_provider_refunds,
            void_on_request=VoidOnRequest(providers=self.providers),
            settle_order=SettleOrder(keep_order=self.keep_order, operations=self.operations, providers=self.providers),
            restored=ResumeRestored(
                items=self.work_items,
                providers=self.providers,
                search_forgotten=SearchForgotten(providers=self.providers, max_retries=self.policy.max_retries),
                clock=self.platform.clock,
                telemetry=self.telemetry,
            ),
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            telemetry=self.telemetry,
            policy=self.policy,
        )
