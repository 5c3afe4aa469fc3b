"""Publication of a routing document: check and roll out, or roll back."""

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
    """Finds a document's faults; the configuration store's validator uses the same checks."""

    decode: RoutingDecoder
    providers: Providers

    def faults(self, data: bytes) -> Sequence[str]:
        """Return the faults in words; an empty list means that it may be published."""
        try:
            return document_faults(self.decode(data), self.providers.capabilities())
        except ConfigurationError as error:
            return [str(error)]

    def checked(self, data: bytes) -> RoutingDocument:
        """Return the document. Raises `Refusal` (`routing_invalid`)."""
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
        """Return the roll-out. Accepted payments keep their route."""
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
        """Return the publication in effect afterwards."""
        record = AuditEntry(action="routing.rolled_back", at_ms=self.clock.now_ms(), operator_action=operator_action)
        self.merchant_directory.record(record)
        return self.publisher.roll_back(f"{operator_action.who}: {operator_action.why}")
