"""The providers that exist, and the ones that this deployment may use.

To add a provider: a folder whose `connector.py` defines `CONNECTOR`, and a line in `_MODULES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.transport import HttpClient, Secrets
from payflowx.providers.contract import Connector
from payflowx.providers.http_provider import HttpProvider

_MODULES: Final[Mapping[str, str]] = {
    "mock": "payflowx.providers.mock.connector",
    "razorpay_mock": "payflowx.providers.razorpay_mock.connector",
    "cashfree_mock": "payflowx.providers.cashfree_mock.connector",
    "stripe": "payflowx.providers.stripe.connector",
    "razorpay": "payflowx.providers.razorpay.connector",
    "cashfree": "payflowx.providers.cashfree.connector",
    "payu": "payflowx.providers.payu.connector",
}


def connector(name: str) -> Connector:
    """Import the provider's module at first use. Raises `ConfigurationError` for an unknown name."""
    module = _MODULES.get(name)
    if module is None:
        raise ConfigurationError(f"there is no provider named {name}; known are {', '.join(sorted(_MODULES))}")
    found: Connector = import_module(module).CONNECTOR
    return found


def capabilities_of(names: tuple[str, ...]) -> Mapping[str, Capabilities]:
    return {name: connector(name).capabilities for name in names}


@dataclass(slots=True, kw_only=True)
class Registry:
    """Implements `Providers` for the allowed providers."""

    allowed: tuple[str, ...]
    http: Callable[[], HttpClient]
    secrets: Callable[[], Secrets]
    clock_ms: Callable[[], int]
    observe: Callable[[str, str, int], None]
    _connectors: dict[str, HttpProvider] = field(default_factory=dict)
    _capabilities: Mapping[str, Capabilities] | None = None

    def get(self, name: str) -> HttpProvider:
        """Raises `ConfigurationError` for a provider that this deployment does not allow."""
        if name not in self.allowed:
            raise ConfigurationError(f"the provider {name} is not allowed in this deployment")
        if name not in self._connectors:
            self._connectors[name] = HttpProvider(
                connector=connector(name),
                http=self.http(),
                secrets=self.secrets(),
                clock_ms=self.clock_ms,
                observe=self.observe,
            )
        return self._connectors[name]

    def capabilities(self) -> Mapping[str, Capabilities]:
        if self._capabilities is None:
            self._capabilities = capabilities_of(self.allowed)
        return self._capabilities
