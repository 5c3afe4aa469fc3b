"""Metrics in CloudWatch's embedded metric format (EMF): the measurements of a message become one line.

The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_VALUES: Final = 100
"""CloudWatch's limit of values a metric and line."""
MAX_METRICS: Final = 100
"""CloudWatch's limit of metrics a directive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value of a metric. `unit` is CloudWatch's word: Count, Milliseconds, Seconds."""

    name: str
    unit: str
    value: int
    dimensions: Mapping[str, str]


@dataclass(slots=True)
class _Line:
    """The line that is being filled. Dimension values and metric values are members of the same JSON object."""

    members: dict[str, str] = field(default_factory=dict)
    dimensions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[int]] = field(default_factory=dict)

    def fits(self, measurement: Measurement) -> bool:
        """Return whether the line can hold it: no member gets a second value, and no limit is exceeded."""
        known = self.values.get(measurement.name)
        if known is None:
            if len(self.values) >= MAX_METRICS:
                return False
        elif len(known) >= MAX_VALUES or self.dimensions[measurement.name] != tuple(measurement.dimensions):
            return False
        return all(self.members.get(name, value) == value for name, value in measurement.dimensions.items())

    def add(self, measurement: Measurement) -> None:
        self.members.update(measurement.dimensions)
        self.dimensions[measurement.name] = tuple(measurement.dimensions)
        self.units[measurement.name] = measurement.unit
        self.values.setdefault(measurement.name, []).append(measurement.value)

    def text(self, namespace: str, at_ms: int) -> str:
        directives = [
            {"Namespace": namespace, "Dimensions": [list(names)], "Metrics": self._metrics(names)}
            for names in dict.fromkeys(self.dimensions.values())
        ]
        document: dict[str, Any] = {
            "_aws": {"Timestamp": at_ms, "CloudWatchMetrics": directives},
            **self.members,
            **self.values,
        }
        return json.dumps(document, separators=(",", ":")) + "\n"

    def _metrics(self, dimensions: tuple[str, ...]) -> list[dict[str, str]]:
        names = [name for name, own in self.dimensions.items() if own == dimensions]
        return [{"Name": name, "Unit": self.units[name]} for name in names]


def metric_lines(measurements: Iterable[Measurement], *, namespace: str, at_ms: int) -> list[str]:
    """Return as few lines as the format allows. They do not name the function: its log group does."""
    lines: list[_Line] = []
    for measurement in measurements:
        line = next((line for line in lines if line.fits(measurement)), None)
        if line is None:
            lines.append(line := _Line())
        line.add(measurement)
    return [line.text(namespace, at_ms) for line in lines]
