"""Counts the processes of the environment, and their memory, while it is under load."""

from dataclasses import dataclass, field
from typing import Final

from local.background import Background
from local.process_table import own_processes

_INTERVAL_SECONDS: Final = 0.5


@dataclass(slots=True)
class Sampler:
    """Peaks of all samples. The sizes count memory that processes share more than once."""

    functions: int = 0
    total_rss_kib: int = 0
    function_rss_kib: int = 0
    """Of the largest process of a function."""
    _background: Background = field(init=False)

    def __post_init__(self) -> None:
        self._background = Background(action=self.sample, interval_seconds=_INTERVAL_SECONDS, at_once=True)

    def __enter__(self) -> "Sampler":
        self._background.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._background.stop()

    def sample(self) -> None:
        """Take one sample now."""
        processes = own_processes()
        functions = [process.rss_kib for process in processes if process.is_function]
        self.functions = max(self.functions, len(functions))
        self.total_rss_kib = max(self.total_rss_kib, sum(process.rss_kib for process in processes))
        self.function_rss_kib = max(self.function_rss_kib, *functions, 0)
