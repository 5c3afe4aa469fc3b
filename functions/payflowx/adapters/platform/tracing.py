"""Shows the calls of providers in X-Ray, in the trace of the request that they go back to.

What AWS does by itself: API Gateway and Lambda record their segments, SQS carries the header of a message, and the
trace of a worker's batch is linked to those of its messages. Nothing of it knows about a call that our own HTTP client
makes. So this sends one document a call to the daemon that Lambda runs beside every traced function.
"""

import contextlib
import json
import re
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from payflowx.adapters.platform import log_context

_DAEMON_HEADER: Final = b'{"format":"json","version":1}\n'
_ROOT: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT: Final = re.compile(r"[0-9a-f]{16}")
_ANNOTATED: Final = frozenset({"transactionId", "operationId", "merchantId", "attempt", "correlationId"})


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace header that is sampled."""

    root: str
    parent: str

    @classmethod
    def sampled(cls, header: str | None) -> "Trace | None":
        """None where there is no trace, or none that is to be recorded."""
        parts = dict(part.strip().partition("=")[::2] for part in (header or "").split(";"))
        root, parent = parts.get("Root", ""), parts.get("Parent", "")
        if parts.get("Sampled") != "1" or not (_ROOT.fullmatch(root) and _PARENT.fullmatch(parent)):
            return None
        return cls(root, parent)


def daemon_of(environment: Mapping[str, str]) -> tuple[str, int] | None:
    """Where Lambda's daemon listens: `host:port`; None on a machine without one."""
    host, _, port = environment.get("AWS_XRAY_DAEMON_ADDRESS", "").rpartition(":")
    return (host, int(port)) if host and port.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Tracing:
    """Sends one datagram a call. A lost one costs a line of a trace; nothing waits for it or fails by it."""

    daemon: tuple[str, int] | None

    def called(self, provider: str, step: str, *, ended_ms: int, took_ms: int) -> None:
        """A request to a provider has ended."""
        context = log_context.current()
        trace = Trace.sampled(context.trace)
        if self.daemon is None or trace is None:
            return
        facts = context.facts
        document: dict[str, Any] = {
            "name": provider,
            "id": uuid.uuid4().hex[:16],
            "trace_id": trace.root,
            "parent_id": trace.parent,
            "type": "subsegment",
            "namespace": "remote",
            "start_time": (ended_ms - took_ms) / 1000,
            "end_time": ended_ms / 1000,
            "annotations": {"step": step, **{name: facts[name] for name in sorted(_ANNOTATED & facts.keys())}},
        }
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            datagrams.sendto(_DAEMON_HEADER + json.dumps(document).encode(), self.daemon)
