"""Payments as operators see them, and payers' personal data."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.payments.open_disputes import DynamoDBOpenDisputes
from payflowx.adapters.dynamodb.payments.owed_charges import DynamoDBOwedCharges
from payflowx.adapters.dynamodb.payments.payment_size import payment_bytes
from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.application.operators.payment_cost import CountPaymentCost
from payflowx.application.operators.show_personal_data import ShowPersonalData
from payflowx.application.operators.verify_audit_log import VerifyAuditLog
from payflowx.application.outbound_webhooks.read_deliveries import ReadDeliveries
from payflowx.application.payments.record_extra_refund import RecordExtraRefund
from payflowx.application.payments.record_refund_by_hand import RecordRefundByHand
from payflowx.wiring.operators.base import OperatorsBase


@dataclass(kw_only=True)
class PaymentCommands(OperatorsBase):
    @cached_property
    def count_payment_cost(self) -> CountPaymentCost:
        return CountPaymentCost(
            payments=self.payments,
            operations=self.operations,
            merchant_events=self.merchant_events,
            payment_bytes=payment_bytes,
        )

    @cached_property
    def verify_audit_log(self) -> VerifyAuditLog:
        return VerifyAuditLog(payments=self.payments)

    @cached_property
    def read_deliveries(self) -> ReadDeliveries:
        return ReadDeliveries(payments=self.payments, merchant_events=self.merchant_events)

    @cached_property
    def show_personal_data(self) -> ShowPersonalData:
        return ShowPersonalData(payments=self.payments, audit_log=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def erase_personal_data(self) -> ErasePersonalData:
        return ErasePersonalData(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            clock=self.platform.clock,
            policy=self.policy,
        )

    @cached_property
    def record_refund_by_hand(self) -> RecordRefundByHand:
        return RecordRefundByHand(
            record_provider_refunds=self.record_provider_refunds, merchant_directory=self.merchant_directory
        )

    @cached_property
    def record_extra_refund(self) -> RecordExtraRefund:
        return RecordExtraRefund(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            merchant_directory=self.merchant_directory,
            clock=self.platform.clock,
            policy=self.policy,
        )

    @cached_property
    def owed_charges(self) -> DynamoDBOwedCharges:
        return DynamoDBOwedCharges(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    @cached_property
    def open_disputes(self) -> DynamoDBOpenDisputes:
        return DynamoDBOpenDisputes(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)
