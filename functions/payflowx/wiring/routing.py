"""The routing validator: checks a routing document before AppConfig rolls it out. It needs no AWS client.

So it imports none of the locked libraries, and has nothing to compare with the lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.domain.routing.routing_check import document_faults
from payflowx.providers.registry import capabilities_of
from payflowx.wiring.settings import Settings, function_environment


@dataclass(frozen=True, kw_only=True)
class RoutingValidatorSettings(Settings):
    allowed_providers: tuple[str, ...]


@dataclass(kw_only=True)
class RoutingValidatorWiring:
    settings: RoutingValidatorSettings

    @classmethod
    def of_function(cls) -> Self:
        return cls.over(function_environment())

    @classmethod
    def over(cls, environment: Mapping[str, str]) -> Self:
        return cls(settings=RoutingValidatorSettings.from_environment(environment))

    def faults(self, data: bytes) -> Sequence[str]:
        """Every fault in words. Raises `ConfigurationError` for what is no routing document at all."""
        return document_faults(decode_routing_document(data), capabilities_of(self.settings.allowed_providers))
