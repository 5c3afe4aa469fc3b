"""Check a routing document and roll it out, or roll the last one back."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.domain.merchants.directory import (
    AuditEntry,
    MerchantDirectory,
    Publication,
    RoutingDecoder,
    RoutingPublisher,
)
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.events import Fact
from payflowx.domain.providers.ports import Providers
from payflowx.domain.routing.routing import RoutingDocument
from payflowx.domain.routing.routing_check import document_faults
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import ConfigurationError, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRouting:
    """The faults of a document in words; the store's own validator asks the same questions."""

    decode: RoutingDecoder
    providers: Providers

    def faults(self, data: bytes) -> Sequence[str]:
        """An empty list: it may be published."""
        try:
            return document_faults(self.decode(data), self.providers.capabilities())
        except ConfigurationError as error:
            return [str(error)]

    def checked(self, data: bytes) -> RoutingDocument:
        """The document; raises `Refusal` (`routing_invalid`)."""
        faults = self.faults(data)
        if faults:
            raise Refusal("routing_invalid", "; ".join(faults) + ".")
        return self.decode(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRouting:
    """Raises `Refusal` (`routing_invalid`, `routing_busy`)."""

    publisher: RoutingPublisher
    merchant_directory: MerchantDirectory
    check: CheckRouting
    clock: Clock

    def __call__(self, data: bytes, operator_action: OperatorAction) -> Publication:
        """Where it stands. Payments that were accepted keep the route that they have."""
        document = self.check.checked(data)
        now_ms = self.clock.now_ms()
        facts: dict[str, Fact] = {"document": document.version, "rules": len(document.rules)}
        record = AuditEntry(action="routing.published", at_ms=now_ms, operator_action=operator_action, facts=facts)
        self.merchant_directory.record(record)
        return self.publisher.publish(data, f"{operator_action.who}: {operator_action.why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackRouting:
    """Raises `Refusal` (`nothing_to_roll_back`)."""

    publisher: RoutingPublisher
    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(self, operator_action: OperatorAction) -> Publication:
        """What is served afterwards."""
        record = AuditEntry(action="routing.rolled_back", at_ms=self.clock.now_ms(), operator_action=operator_action)
        self.merchant_directory.record(record)
        return self.publisher.roll_back(f"{operator_action.who}: {operator_action.why}")
