"""Structured logs and EMF metrics through Powertools. The last thing a line passes is the redactor."""

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.line_stream import LineStream
from payflowx.adapters.platform.metric_lines import Measurement, metric_lines
from payflowx.adapters.platform.tracing import Trace
from payflowx.domain.merchants import api_keys
from payflowx.domain.shared.card_data import mask_card_numbers
from payflowx.domain.shared.metrics import Metric

_SECRETS: Final = (
    (api_keys.PATTERN, "[api key removed]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), "[credentials removed]"),
    (re.compile(r"\btok_[A-Za-z0-9_@-]+"), "[token removed]"),
)
"""A safety net: nothing of the kind is passed to a logger on purpose."""


_LEFT_OUT: Final[dict[str, Any]] = {"location": None, "xray_trace_id": None}
"""The logger would name its own wrapper as location, and the batch's trace instead of the message's."""

_TIME: Final = "%Y-%m-%dT%H:%M:%S.%FZ"
"""RFC 3339 with milliseconds, in its shortest form: Lambda and CloudWatch read it, and each line has it."""


def redact(text: str) -> str:
    """Without card numbers, API keys, credentials and tokens, wherever they come from."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return mask_card_numbers(text)


def redacted_line(log: Mapping[str, Any]) -> str:
    """A JSON line with the facts of its request or message, whichever module wrote it.

    Redacted value by value, before it is text: a mask inside a bare number would not be JSON.
    """
    context = log_context.current()
    line = _redacted({**context.facts, **log, **_trace_of(context)})
    return json.dumps(line, default=lambda other: redact(str(other)), separators=(",", ":"))


def _trace_of(context: log_context.LogContext) -> dict[str, str]:
    """The trace id where X-Ray records the trace: the id of another one leads nowhere, and is in every line."""
    trace = Trace.sampled(context.trace)
    return {} if trace is None else {"xray_trace_id": trace.root}


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {redact(str(name)): _redacted(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_redacted(inner) for inner in value]
        case int() | float():
            return value if redact(text := str(value)) == text else redact(text)
        case _:
            return value


def redacting_formatter() -> LambdaPowertoolsFormatter:
    """Powertools' JSON lines, all of them redacted: message, fields and stack traces alike."""
    return LambdaPowertoolsFormatter(
        json_serializer=redacted_line,
        utc=True,
        datefmt=_TIME,
        **_LEFT_OUT,
    )


class PowertoolsTelemetry:
    """Implements `Telemetry`. The function's name is the `service` of all its lines.

    Metrics have the environment as dimension, and not the function: several functions settle payments, several
    environments may share an account, and an alarm sees one combination of dimensions.
    """

    def __init__(self, logger: Logger, namespace: str, environment: str) -> None:
        self.logger = logger
        self._namespace = namespace
        self._environment = environment
        self._stream = LineStream()
        self._lock = threading.Lock()

    def about(self, **facts: str | int | bool | None) -> None:
        """Add facts about the payment to every later line of this request or message."""
        log_context.add(facts)

    def info(self, message: str, **facts: str | int | bool | None) -> None:
        """Something happened."""
        self.logger.info(message, extra=facts)

    def warn(self, message: str, **facts: str | int | bool | None) -> None:
        """Something went wrong and is taken care of."""
        self.logger.warning(message, extra=facts)

    def count(self, name: Metric, value: int = 1, **dimensions: str) -> None:
        """A metric in counts."""
        self._measure(name, "Count", value, dimensions)

    def milliseconds(self, name: Metric, value: int, **dimensions: str) -> None:
        """A duration in milliseconds."""
        self._measure(name, "Milliseconds", value, dimensions)

    def seconds(self, name: Metric, value: int, **dimensions: str) -> None:
        """An age in seconds."""
        self._measure(name, "Seconds", value, dimensions)

    def _measure(self, name: Metric, unit: str, value: int, dimensions: dict[str, str]) -> None:
        """Keep the value until its request or batch ends; outside of one, write it at once."""
        dimensions = {"environment": self._environment, **dimensions}
        measurement = Measurement(name=name.value, unit=unit, value=value, dimensions=dimensions)
        at_end = log_context.current().at_end
        if at_end is None:
            self._write([measurement])
            return
        with self._lock:
            batch = next((end for end in at_end if isinstance(end, _Batch)), None)
            if batch is None:
                at_end.append(batch := _Batch(telemetry=self))
            batch.measurements.append(measurement)

    def _write(self, measurements: list[Measurement]) -> None:
        at_ms = time.time_ns() // 1_000_000
        for line in metric_lines(measurements, namespace=self._namespace, at_ms=at_ms):
            self._stream.write(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """The measurements of one request or batch, written when it ends."""

    telemetry: PowertoolsTelemetry
    measurements: list[Measurement] = field(default_factory=list)

    def __call__(self) -> None:
        self.telemetry._write(self.measurements)  # noqa: SLF001 - it is a part of the telemetry
