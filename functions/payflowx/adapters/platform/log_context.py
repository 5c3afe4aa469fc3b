"""The facts that every log line of a request or message has, and its trace.

Messages of a batch are handled in threads side by side: the facts live in a context variable, so that none of them
ends up in another one's line.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from payflowx.domain.shared.card_data import contains_card_number

Fact = str | int | bool | None

MAX_CORRELATION_CHARS: Final = 64
_WELL_FORMED: Final = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_CORRELATION_CHARS}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContext:
    """`trace`: the X-Ray header of the caller; None outside of Lambda.

    `at_end`: called when the request or the batch ends; None outside of one. Messages of a batch and tasks share it.
    """

    facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))
    trace: str | None = None
    at_end: list[Callable[[], None]] | None = None

    @property
    def correlation_id(self) -> str | None:
        """The id that a client's request, its messages and their lines share."""
        known = self.facts.get("correlationId")
        return known if isinstance(known, str) else None


_CURRENT: ContextVar[LogContext] = ContextVar("log_context", default=LogContext())  # noqa: B039 - it is frozen


def current() -> LogContext:
    """Of the request or message that this thread works on."""
    return _CURRENT.get()


def add(facts: Mapping[str, Fact]) -> None:
    """Say these too in every line from now on, until the end of the request or message."""
    context = _CURRENT.get()
    _CURRENT.set(replace(context, facts={**context.facts, **facts}))


@contextmanager
def work_on(facts: Mapping[str, Fact], *, trace: str | None) -> Iterator[None]:
    """A request or a message: what was added within is forgotten afterwards.

    Inside a batch, what is to be done at the end waits for the end of the batch.
    """
    known = {name: fact for name, fact in facts.items() if fact is not None}
    of_batch = _CURRENT.get().at_end
    at_end: list[Callable[[], None]] = [] if of_batch is None else of_batch
    token = _CURRENT.set(LogContext(facts=known, trace=trace, at_end=at_end))
    try:
        yield
    finally:
        if of_batch is None:
            for end in at_end:
                end()
        _CURRENT.reset(token)


def batch() -> AbstractContextManager[None]:
    """The messages of one invocation: their metrics are written together, when the last of them has ended."""
    return work_on({}, trace=None)


def message(record: Mapping[str, Any]) -> AbstractContextManager[None]:
    """A message as Lambda hands it over. Until it is read, its own id is all that is known of it."""
    trace = (record.get("attributes") or {}).get("AWSTraceHeader")
    return work_on({"correlationId": str(record["messageId"])}, trace=trace)


def invocation(lambda_context: Any, trace: str | None) -> AbstractContextManager[None]:
    """Work that no client's request goes back to: a schedule's, an operator's."""
    return work_on({"correlationId": lambda_context.aws_request_id}, trace=trace)


def received_correlation_id(fields: Mapping[str, Any]) -> str | None:
    """Of a message's fields. One without it, or with a strange one, is as good as any other."""
    value = fields.get("correlation_id")
    return correlation_id(value) if isinstance(value, str) else None


def message_attributes() -> dict[str, Any]:
    """Return the attributes that a message is sent with.

    The SDK sends Lambda's own trace header along, which in a worker is its batch's. This attribute overrides it with
    that of the message at hand, so that all of a payment's work is in the trace of the request that it goes back to.
    """
    trace = _CURRENT.get().trace
    if trace is None:
        return {}
    return {"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}}


def request_facts(request_id: str, correlation_id: str | None, **more: Fact) -> dict[str, Fact]:
    """Return the facts of an API request. Its id is one of them only where the client has sent an id of its own."""
    return {"requestId": None if request_id == correlation_id else request_id, "correlationId": correlation_id, **more}


def correlation_id(*wished: str | None) -> str | None:
    """The first that is well-formed. A client's own value may be anything: a card number is none."""
    for value in wished:
        if value is not None and _WELL_FORMED.fullmatch(value) and not contains_card_number(value):
            return value
    return None
