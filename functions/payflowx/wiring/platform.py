"""Shared by all functions: AWS clients, clock, logs, HTTP. Tests and the simulator replace these, and nothing else.

Modules that the authorizer does not need are imported where they are first used: they are a part of every cold start.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final, Self, cast

from payflowx.adapters.platform.aws import PATIENT, AwsClients, CallLimits, check_versions
from payflowx.adapters.platform.clock import SystemClock, SystemRandomness
from payflowx.domain.shared.ambient import Clock, Randomness
from payflowx.wiring.settings import Settings, function_environment

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from payflowx.adapters.platform.secrets_manager import SecretsManagerSecrets
    from payflowx.adapters.platform.tracing import Tracing
    from payflowx.adapters.platform.ttl_cache import TtlCache
    from payflowx.domain.payments.ports import Concurrency
    from payflowx.domain.shared.ambient import Telemetry
    from payflowx.domain.shared.transport import HttpClient
    from payflowx.providers.registry import Registry

_THREADS: Final = 10


@dataclass(kw_only=True)
class Platform:
    """Each part is made when it is first used."""

    environment: Mapping[str, str] = field(default_factory=function_environment)
    clients: AwsClients = field(default_factory=AwsClients)
    clock: Clock = field(default_factory=SystemClock)
    randomness: Randomness = field(default_factory=SystemRandomness)
    pause: Callable[[float], None] = time.sleep

    @property
    def trace(self) -> str | None:
        """The X-Ray header of this invocation: Lambda sets it anew each time."""
        return self.environment.get("_X_AMZN_TRACE_ID")

    @property
    def is_lambda(self) -> bool:
        """Whether this is a deployed function, which has an API of its own on its loopback address."""
        return "AWS_LAMBDA_RUNTIME_API" in self.environment

    @cached_property
    def logger(self) -> "Logger":
        from aws_lambda_powertools import Logger  # noqa: PLC0415 - the authorizer does not log

        from payflowx.adapters.platform.line_stream import LineStream  # noqa: PLC0415 - as above
        from payflowx.adapters.platform.telemetry import redacting_formatter  # noqa: PLC0415 - as above

        stream = cast("IO[str]", LineStream())
        return Logger(stream=stream, logger_formatter=redacting_formatter(), log_uncaught_exceptions=False)

    def telemetry(self, settings: Settings) -> "Telemetry":
        from payflowx.adapters.platform.telemetry import PowertoolsTelemetry  # noqa: PLC0415 - as `logger`

        return PowertoolsTelemetry(self.logger, settings.powertools_metrics_namespace, settings.environment)

    @cached_property
    def tracing(self) -> "Tracing":
        from payflowx.adapters.platform.tracing import Tracing, daemon_of  # noqa: PLC0415 - for providers' calls only

        return Tracing(daemon_of(self.environment))

    @cached_property
    def http(self) -> "HttpClient":
        from payflowx.adapters.platform.http import Urllib3Client  # noqa: PLC0415 - the API never calls a provider

        return Urllib3Client()

    @cached_property
    def secrets(self) -> "SecretsManagerSecrets":
        from payflowx.adapters.platform.secrets_manager import secrets_of  # noqa: PLC0415 - few functions may read any

        return secrets_of(self.clients.secretsmanager, self.cache)

    def cache(self, lifetime_ms: int) -> "TtlCache[Any]":
        """An empty cache on this platform's clock."""
        from payflowx.adapters.platform.ttl_cache import TtlCache  # noqa: PLC0415 - the authorizer remembers nothing

        return TtlCache(lifetime_ms, self.clock.now_ms, self.pause)

    def registry(self, allowed: tuple[str, ...], *, observe: Callable[[str, str, int], None]) -> "Registry":
        """The providers of this deployment. `observe` gets provider, step and milliseconds of each request."""
        from payflowx.providers.registry import Registry  # noqa: PLC0415 - the authorizer knows no providers

        return Registry(
            allowed=allowed,
            http=lambda: self.http,
            secrets=lambda: self.secrets,
            clock_ms=self.clock.now_ms,
            observe=observe,
        )

    @cached_property
    def concurrency(self) -> "Concurrency":
        """Threads: the work waits for the network."""
        from payflowx.adapters.platform.threads import Threads  # noqa: PLC0415 - the API and the pages handle one event

        return Threads(_THREADS)


@dataclass(kw_only=True)
class Wiring(ABC):
    """The base of every function's wiring. Each part is made when it is first used."""

    call_limits: ClassVar[CallLimits] = PATIENT
    """Of one call of AWS. No call may outlive the invocation: Lambda would end it without an answer."""

    platform: Platform
    settings: Settings

    @classmethod
    def of_function(cls) -> Self:
        made = cls.over(Platform(clients=AwsClients.within(cls.call_limits)))
        check_versions(made.settings.locked_versions)
        made.prepare()
        return made

    @classmethod
    @abstractmethod
    def over(cls, platform: Platform) -> Self:
        """Raises `ConfigurationError` if the platform's environment lacks a setting."""

    def prepare(self) -> None:
        """At the start of an instance, when Lambda gives it a whole processor: load what the first event needs."""
        _ = self.telemetry

    @cached_property
    def telemetry(self) -> "Telemetry":
        return self.platform.telemetry(self.settings)
