"""Measures the environment: memory, processes and open files by part, and the depth of every queue."""

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.background import Background
from local.errors import LocalEnvironmentError
from local.process_table import Process, own_processes
from local.soak.verdict import Series, Tolerance

_PROC: Final = Path("/proc")
_DEPTHS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_MIB: Final = 1024
"""In KiB."""

Figures = Mapping[str, float]
"""One sample: figure to value."""

TOLERANCES: Final[Mapping[str, tuple[str, Tolerance]]] = {
    "memory of the functions": ("MiB", Tolerance(absolute=60, share=0.1)),
    "largest function process": ("MiB", Tolerance(absolute=5, share=0.05)),
    "memory of the launcher": ("MiB", Tolerance(absolute=5, share=0.05)),
    "function processes": ("count", Tolerance(absolute=2, share=0.1)),
    "other processes": ("count", Tolerance(absolute=0)),
    "open files of the functions": ("count", Tolerance(absolute=30, share=0.1)),
    "largest function's open files": ("count", Tolerance(absolute=2, share=0.1)),
    "other open files": ("count", Tolerance(absolute=20, share=0.1)),
}
"""Growth over the judged half. A function's process takes about 60 MiB and 15 files; two more or fewer are no trend."""
QUEUE_TOLERANCE: Final = Tolerance(absolute=5)
DEAD_LETTER_TOLERANCE: Final = Tolerance(absolute=0, at_most=0)


def of_processes(processes: Iterable[Process], open_files: Callable[[int], int], *, root: int) -> dict[str, float]:
    """The figures of a process table. `root` is the launcher's process id."""
    memory: dict[str, float] = defaultdict(float)
    files: dict[str, int] = defaultdict(int)
    functions, others, largest_kib, most_files = 0, 0, 0, 0
    for process in processes:
        count = open_files(process.pid)
        if process.is_function:
            functions, largest_kib, most_files = (
                functions + 1,
                max(largest_kib, process.rss_kib),
                max(most_files, count),
            )
        else:
            others += 1
        part = "functions" if process.is_function else "launcher" if process.pid == root else "engine"
        memory[part] += process.rss_kib / _MIB
        files["functions" if process.is_function else "other"] += count
    return {
        "memory of the functions": memory["functions"],
        "largest function process": largest_kib / _MIB,
        "memory of the launcher": memory["launcher"],
        "memory of the engine and simulators": memory["engine"],
        "function processes": functions,
        "other processes": others,
        "open files of the functions": files["functions"],
        "largest function's open files": most_files,
        "other open files": files["other"],
    }


def open_files(pid: int) -> int:
    """How many files, pipes and sockets a process has open; 0 when it has ended meanwhile."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        return sum(1 for _ in (_PROC / str(pid) / "fd").iterdir())
    return 0


def check_platform() -> None:
    """Raise `LocalEnvironmentError` where open files cannot be counted."""
    if not (_PROC / "self" / "fd").is_dir():
        raise LocalEnvironmentError("make soak counts open files in /proc, which only Linux has.")


def queue_name(output: str) -> str:
    """The words for a queue, from the name of the stack's output that holds its address."""
    name = output.removesuffix("QueueUrl")
    content = name.removesuffix("DeadLetter").lower()
    content = {"notices": "provider events"}.get(content, content)
    return f"dead letters: {content}" if name.endswith("DeadLetter") else f"queue: {content}"


@dataclass(slots=True)
class Sampler:
    """Samples in the background inside `with`. A round that fails is counted in `missed` and gives no sample."""

    sqs: Any
    queue_urls: Mapping[str, str]
    """By the name of the stack's output."""
    interval_seconds: float
    samples: list[tuple[float, Figures]] = field(default_factory=list)
    missed: int = 0
    _background: Background = field(init=False)

    def __post_init__(self) -> None:
        self._background = Background(action=self.sample, interval_seconds=self.interval_seconds)

    def __enter__(self) -> "Sampler":
        self._background.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._background.stop()

    def sample(self) -> None:
        """Take one sample now."""
        try:
            depths = {queue_name(output): self._depth(url) for output, url in self.queue_urls.items()}
        except (ClientError, BotoCoreError):
            self.missed += 1
            return
        figures = of_processes(own_processes(), open_files, root=os.getpid())
        self.samples.append((time.monotonic(), figures | depths))

    def _depth(self, url: str) -> float:
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_DEPTHS))["Attributes"]
        return float(sum(int(found.get(name, 0)) for name in _DEPTHS))


def series_of(
    samples: Iterable[tuple[float, Figures]], tolerances: Mapping[str, tuple[str, Tolerance]]
) -> list[Series]:
    """One series for each figure that has a tolerance, and one for each queue."""
    values: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for at, figures in samples:
        for name, value in figures.items():
            values[name].append((at, value))
    known = dict(tolerances)
    for name in values:
        if name.startswith("queue: "):
            known[name] = ("messages", QUEUE_TOLERANCE)
        elif name.startswith("dead letters: "):
            known[name] = ("messages", DEAD_LETTER_TOLERANCE)
    return [Series(name=n, unit=u, tolerance=t, samples=values.get(n, [])) for n, (u, t) in known.items()]
