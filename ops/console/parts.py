"""Parts of a page that are asked at the same time. One that fails or is late does not take the page with it."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

from ops.errors import Exit, OperatorError
from ops.target import aws_errors

DEADLINE_SECONDS: Final = 15.0
_THREADS: Final = 8
_POOL: Final = ThreadPoolExecutor(_THREADS, thread_name_prefix="console-part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`value`, or why there is none."""

    value: Any = None
    fault: OperatorError | None = None


def gather(asks: Mapping[str, Callable[[], Any]], *, deadline_seconds: float = DEADLINE_SECONDS) -> dict[str, Part]:
    """The answers by name. An exception that is no `OperatorError` of ours or of AWS is raised."""
    futures = {name: _POOL.submit(_asked, name, ask) for name, ask in asks.items()}
    wait(futures.values(), timeout=deadline_seconds)
    return {name: future.result() if future.done() else _late(deadline_seconds) for name, future in futures.items()}


def _asked(name: str, ask: Callable[[], Any]) -> Part:
    try:
        with aws_errors(f"read this part ({name.replace('_', ' ')})"):
            return Part(value=ask())
    except OperatorError as error:
        return Part(fault=error)


def _late(seconds: float) -> Part:
    return Part(
        fault=OperatorError(f"No answer within {seconds:.0f} seconds.", Exit.UNAVAILABLE, hint="Load the page again.")
    )
