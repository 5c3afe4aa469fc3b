"""A simulator as the provider that an SDK talks to."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from sandbox.http_types import Request
from sandbox.simulator import Simulator
from tests.sdk.official import Answered, Sent

NOW = 1_700_000_000.0


def answering(simulator: Simulator, now: float = NOW) -> Callable[[Sent], Answered]:
    """For `Sdk.call(..., provider=...)`."""

    def answer(sent: Sent) -> Answered:
        parts = urlsplit(sent.url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(method=sent.method, path=parts.path, query=query, headers=sent.headers, body=sent.body)
        reply = simulator.handle(request, now)
        return Answered(status=reply.status, body=reply.body, headers=reply.headers)

    return answer
