"""Publication of a routing document: check and roll out, or roll back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
        """Return the roll-out. Accepted payments keep their route. The document that is served is not rolled out again:
        a roll-back after it would change nothing.
        """
        document = self.check.checked(data)
        published = self.publisher.published(data)
        if published is not None:
            return published
        facts: dict[str, Fact] = {"document": document.version, "rules": len(document.rules)}
        record = AuditEntry(
            action="routing.published", at_ms=self.clock.now_ms(), operator_action=operator_action, facts=facts
        )
        words = f"{operator_action.who}: {operator_action.why}"
        return _recorded(self.merchant_directory, record, lambda: self.publisher.publish(data, words))


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackRouting:
    """Raises `Refusal` (`nothing_to_roll_back`, `routing_busy`)."""

    publisher: RoutingPublisher
    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(self, operator_action: OperatorAction, to: int | None = None) -> Publication:
        """Return the publication in effect afterwards. Repeated, it goes no further back."""
        versions = self.publisher.versions_to_roll_back(to)
        if versions.served == versions.before:
            return self.publisher.current()
        facts: dict[str, Fact] = {"from": versions.served, "to": versions.before}
        record = AuditEntry(
            action="routing.rolled_back", at_ms=self.clock.now_ms(), operator_action=operator_action, facts=facts
        )
        words = f"{operator_action.who}: {operator_action.why}"
        return _recorded(self.merchant_directory, record, lambda: self.publisher.roll_back(versions.before, words))


def _recorded(merchant_directory: MerchantDirectory, record: AuditEntry, act: Callable[[], Publication]) -> Publication:
    """Record the decision before it takes effect; where the configuration store refuses it, record that as well."""
    merchant_directory.record(record)
    try:
        return act()
    except Refusal as refusal:
        facts = {**record.facts, "code": refusal.code}
        merchant_directory.record(replace(record, action=f"{record.action}_refused", facts=facts))
        raise
