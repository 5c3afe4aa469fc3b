"""The processes that this process has started, with those that they have started, as `ps` lists them."""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FUNCTION_MARK: Final = "/ministack-lambda-"
"""In the command of each process that the engine runs a function in, followed by the function's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """`command` of a function's process holds its folder's random name: it is unique."""

    pid: int
    rss_kib: int
    command: str

    @property
    def is_function(self) -> bool:
        """Whether the engine runs a function in it."""
        return FUNCTION_MARK in self.command


def own_processes() -> list[Process]:
    """The calling process and its descendants; no process of another user or environment is ever listed."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "rss=", "-o", "args="],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return descendants(listing.splitlines(), root=os.getpid())


def descendants(listing: Iterable[str], *, root: int) -> list[Process]:
    """From lines of process id, parent, resident size and command: `root` and all below it."""
    rows = [line.split(maxsplit=3) for line in listing]
    processes = {int(r[0]): Process(pid=int(r[0]), rss_kib=int(r[2]), command=r[3]) for r in rows if len(r) == 4}
    parents = {int(row[0]): int(row[1]) for row in rows if len(row) == 4}
    return [process for pid, process in processes.items() if root in _ancestors(pid, parents)]


def _ancestors(pid: int, parents: dict[int, int]) -> set[int]:
    found: set[int] = set()
    while pid in parents and pid not in found:
        found.add(pid)
        pid = parents[pid]
    return found | {pid}
