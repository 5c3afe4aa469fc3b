"""Shared by all handlers: the wiring of a function instance, and batches of messages."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from payflowx.adapters.platform import log_context
from payflowx.wiring.settings import is_function

if TYPE_CHECKING:
    from payflowx.adapters.sqs.queue import Codec
    from payflowx.wiring.platform import Platform

W = TypeVar("W")
T = TypeVar("T")


class Wired(Generic[W]):
    """The wiring of a function instance, made once.

    In Lambda that is at its start, so that a missing setting ends the cold start and not some payment's request.
    Elsewhere it is at the first event: a test may import a handler without an environment.
    """

    def __init__(self, make: Callable[[], W]) -> None:
        made = make() if is_function() else None
        self._make = make
        self._find: Callable[[], W] = self._once if made is None else lambda: made

    def __call__(self) -> W:
        return self._find()

    def _once(self) -> W:
        made = self._make()
        self._find = lambda: made
        return made

    @contextmanager
    def use(self, find: Callable[[], W]) -> Iterator[None]:
        """For tests and the simulator: events meanwhile are handled over what `find` gives when they arrive."""
        before, self._find = self._find, find
        try:
            yield
        finally:
            self._find = before


def handle_batch(
    records: list[dict[str, Any]], platform: "Platform", codec: "Codec[T]", handle: Callable[[T], object]
) -> dict[str, Any]:
    """The messages side by side. The answer names those that failed, for whatever exception: they alone come back."""
    failed: list[str] = []
    tasks: list[Callable[[], None]] = [partial(_handle, record, platform, codec, handle, failed) for record in records]
    with log_context.batch():
        platform.concurrency.run(tasks)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _handle(
    record: Mapping[str, Any],
    platform: "Platform",
    codec: "Codec[T]",
    handle: Callable[[T], object],
    failed: list[str],
) -> None:
    with log_context.message(record):
        try:
            content = codec.decode(record["body"])
            log_context.add(codec.facts(content))
            handle(content)
        except Exception:
            failed.append(record["messageId"])
            log_context.add({"messageId": record["messageId"]})
            platform.logger.exception("message failed")
