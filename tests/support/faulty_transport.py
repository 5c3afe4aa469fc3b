"""The line to a provider, told to misbehave at a certain request."""

from dataclasses import dataclass, field
from enum import StrEnum

from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult, NoAnswer, NoConnection
from tests.support.providers import READ_TIMEOUT_SECONDS, ProviderWorld, SimulatedHttp


class Trouble(StrEnum):
    """What happens to one request. The first two: the provider never saw it."""

    REFUSED = "connection refused"
    REQUEST_LOST = "request lost"
    LATE = "request arrives later"
    ANSWER_LOST = "answer lost"
    ERROR_AFTER = "500 after the effect"
    HTML_AFTER = "HTML after the effect"
    CUT_OFF = "half an answer"
    SLOW_DRIP = "an answer that drips too slowly"


@dataclass
class FaultyTransport(SimulatedHttp):
    """`troubles` maps the number of a request, from 1, to what happens to it."""

    troubles: dict[int, Trouble] = field(default_factory=dict)
    count: int = 0
    late: list[tuple[HttpRequest, str]] = field(default_factory=list)

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        self.count += 1
        trouble = self.troubles.get(self.count)
        if trouble is Trouble.REFUSED:
            return NoConnection(code="connection_refused")
        if trouble in {Trouble.REQUEST_LOST, Trouble.LATE}:
            if trouble is Trouble.LATE:
                self.late.append((request, endpoint))
            self.clock.advance(READ_TIMEOUT_SECONDS)
            return NoAnswer(code="read_timeout")
        answer = super().send(request, endpoint)
        match trouble:
            case Trouble.ANSWER_LOST:
                self.clock.advance(READ_TIMEOUT_SECONDS)
                return NoAnswer(code="read_timeout")
            case Trouble.SLOW_DRIP:
                self.clock.advance(READ_TIMEOUT_SECONDS)
                return NoAnswer(code="too_slow")
            case Trouble.ERROR_AFTER:
                return page(500)
            case Trouble.HTML_AFTER:
                return page(200)
            case Trouble.CUT_OFF if isinstance(answer, HttpResponse):
                half = answer.body[: len(answer.body) // 2]
                return HttpResponse(status=answer.status, headers=answer.headers, body=half)
            case _:
                return answer

    def deliver_late(self) -> None:
        """What was on its way arrives; nobody waits for the answer any more."""
        for request, endpoint in self.late:
            super().send(request, endpoint)
        self.late.clear()


def page(status: int) -> HttpResponse:
    """What a proxy answers for a provider."""
    return HttpResponse(status=status, headers={"content-type": "text/html"}, body=b"<html>Service</html>")


@dataclass
class HostileWorld(ProviderWorld):
    """The use cases, the real adapters and simulators, and that line between them."""

    line: FaultyTransport = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.line = FaultyTransport(self.clock, simulators=self.http.simulators)
        self.line.simulators = self.http.simulators
        self.http = self.line
