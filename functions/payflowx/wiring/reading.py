"""Reads of payments and operations that change nothing: for the API and for operators."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.orders.payment_lookup import DynamoDBPaymentLookup
from payflowx.application.orders.find_payments import FindPayments
from payflowx.application.payments.read_operations import ReadOperations
from payflowx.application.payments.read_payments import ReadPayments
from payflowx.wiring.ledger import Ledger, LedgerSettings
from payflowx.wiring.providers import ProviderAccess, ProviderSettings


@dataclass(frozen=True, kw_only=True)
class LedgerReaderSettings(LedgerSettings, ProviderSettings):
    """Everything is inherited."""


@dataclass(kw_only=True)
class LedgerReader(Ledger, ProviderAccess):
    settings: LedgerReaderSettings

    @cached_property
    def read_payments(self) -> ReadPayments:
        return ReadPayments(payments=self.payments)

    @cached_property
    def read_operations(self) -> ReadOperations:
        return ReadOperations(payments=self.payments, operations=self.operations)

    @cached_property
    def find_payments(self) -> FindPayments:
        return FindPayments(
            orders=self.orders,
            lookup=DynamoDBPaymentLookup(client=self.platform.clients.dynamodb, table=self.settings.transactions_table),
            operations=self.operations,
            merchants=self.merchants,
        )
