"""Judges a load: nothing lost, nothing charged twice, no server error, no stampede of processes. Prints the table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.load.clients import NO_ANSWER, Measured

MAX_FUNCTION_PROCESSES: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`charged` counts the ledgers' charges by provider key."""

    payments: int
    measured: Measured
    charged: Mapping[str, int]
    function_processes: int
    total_rss_kib: int
    function_rss_kib: int
    seconds: float

    def failures(self) -> list[str]:
        """The conditions that do not hold, in words; empty when all hold."""
        measured = self.measured
        lost = [known for known in measured.accepted.values() if known not in measured.final]
        conditions = (
            (self._count(500, 599), "{} answers were server errors"),
            (measured.statuses[NO_ANSWER], "{} requests got no answer"),
            (self.payments - len(measured.accepted), "{} payments were not accepted"),
            (len(measured.accepted) - len(set(measured.accepted.values())), "{} keys share a payment with another key"),
            (len(lost), "{} accepted payments are lost or not final"),
            (sum(status != "SUCCESS" for status in measured.final.values()), "{} payments did not succeed"),
            (len(self._wrongly_charged()), "{} payments do not have exactly one charge at the providers"),
            (
                max(0, self.function_processes - MAX_FUNCTION_PROCESSES),
                f"{{}} function processes more than {MAX_FUNCTION_PROCESSES}",
            ),
        )
        return [text.format(count) for count, text in conditions if count]

    def table(self) -> str:
        """One figure a line."""
        measured, final = self.measured, Counter(self.measured.final.values())
        rows: list[tuple[str, str]] = [
            ("payments", f"{self.payments}"),
            ("accepted", f"{len(measured.accepted)}"),
            *((f"final: {status}", f"{count}") for status, count in sorted(final.items())),
            ("charges at providers", f"{sum(self.charged.values())}"),
            ("requests", f"{sum(measured.statuses.values())}"),
            ("answered 2xx", f"{self._count(200, 299)}"),
            ("answered 429", f"{measured.statuses[429]}"),
            ("answered 4xx, not 429", f"{self._count(400, 499) - measured.statuses[429]}"),
            ("answered 5xx", f"{self._count(500, 599)}"),
            ("no answer", f"{measured.statuses[NO_ANSWER]}"),
            ("latency of POST, p50 p95 p99", _percentiles(measured.latencies_ms)),
            ("time to final, p50 p95 p99", _percentiles(measured.final_ms)),
            ("first payment accepted after", f"{measured.accepted_after_seconds[0] if measured.accepted else 0:.1f} s"),
            ("accepted per second", f"{self._accepted_per_second():.1f}"),
            ("requests per second", f"{measured.statuses.total() / self.seconds:.1f}"),
            ("peak function processes", f"{self.function_processes}"),
            ("peak memory of the largest function process", f"{self.function_rss_kib / 1024:.0f} MiB"),
            ("peak memory of the environment", f"{self.total_rss_kib / 1024:.0f} MiB"),
            ("duration", f"{self.seconds:.0f} s"),
        ]
        width = max(len(name) for name, _ in rows) + 2
        return "\n".join(f"{name:<{width}}{value:>24}" for name, value in rows)

    def _accepted_per_second(self) -> float:
        """From the start of the load, while functions start, to the last acceptance. Reads come after it."""
        times = self.measured.accepted_after_seconds
        return len(times) / times[-1] if times else 0.0

    def _count(self, least: int, most: int) -> int:
        return sum(count for status, count in self.measured.statuses.items() if least <= status <= most)

    def _wrongly_charged(self) -> list[str]:
        """Final payments whose attempts do not sum up to one charge."""
        charges = Counter[str]()
        for key, transaction_id in self.measured.provider_keys.items():
            charges[transaction_id] += self.charged.get(key, 0)
        succeeded = [known for known, status in self.measured.final.items() if status == "SUCCESS"]
        return [known for known in succeeded if charges[known] != 1]


def charges_by_key(entries: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """From the ledgers' entries."""
    return Counter(entry["reference"] for entry in entries if entry["status"] == "charged")


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that is at least as large as `percent` of all; 0 without values."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)] if ordered else 0.0


def _percentiles(values: Sequence[float]) -> str:
    return " ".join(f"{percentile(values, percent):.0f}" for percent in (50, 95, 99)) + " ms"
