"""The sides that a client library may talk to: the real handlers, and the test doubles of both languages."""

import io
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from payflowx.domain.payments.hosted import HostedCapability
from payflowx.domain.payments.outcome import ActionRequired, Declined, NextAction, Unknown
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.entrypoints.checkout import handler as checkout
from payflowx_client import Client, Payment
from payflowx_client.sender import Clock
from payflowx_client.testing import API_KEY, FakeApi
from payflowx_client.transport import Answer, HttpTransport, NoAnswerError, Request, Transport
from tests.support.handlers import Context, Functions, rest_event
from tests.support.wsgi import ApiGateway

Deliveries = Sequence[tuple[dict[str, str], bytes]]
_STEP_SECONDS: Final = 60
_FORM: Final = "application/x-www-form-urlencoded"
DOUBLE_SERVER: Final = Path(__file__).resolve().parents[2] / "clients" / "typescript" / "double_server.mjs"


@dataclass(kw_only=True)
class Side:
    """An API with time that is moved by hand."""

    name: str
    transport: Transport
    api_key: str
    now_seconds: Callable[[], float]
    advance: Callable[[float], None]
    lose_answers: Callable[[int], None]
    deliveries: Callable[[], Deliveries]
    endpoint_url: str = "https://shop.example.com/hooks"
    play: Callable[[str], None] = lambda _name: None
    """Prepare what a double does by itself for the token of a scenario."""
    choose: Callable[[Payment], None] = lambda _payment: None
    """Choose a card on the payer's page, as a double's payer does by itself."""
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.clock.monotonic = self.now_seconds
        self.clock.sleep = self.advance

    def client(self, **options: Any) -> Client:
        given = {"base_url": "https://api.test", "api_key": self.api_key, "clock": self.clock, **options}
        return Client(transport=self.transport, **given)


# -- the real handlers


class InProcess:
    """The client's transport, without a socket. `loses` drops so many answers of requests that were executed."""

    def __init__(self, functions: Functions) -> None:
        self.app = ApiGateway()
        self.app.functions = functions
        self.loses = 0

    def __call__(self, request: Request, *, timeout_seconds: float) -> Answer:
        parts, body = urlsplit(request.target), request.body or b""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "REQUEST_URI": request.target,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        for name, value in request.headers.items():
            spelled = name.upper().replace("-", "_")
            environ[spelled if spelled == "CONTENT_TYPE" else f"HTTP_{spelled}"] = value
        started: list[Any] = []
        content = b"".join(self.app(environ, lambda *arguments: started.append(arguments)))
        if self.loses:
            self.loses -= 1
            raise NoAnswerError("lost on purpose")
        ((status, headers),) = started
        return Answer(int(status.split()[0]), {name.lower(): value for name, value in headers}, content)


def real_side(functions: Functions, shop: Any) -> Side:
    """`shop` is a server that keeps what it receives."""
    transport = InProcess(functions)

    def lose(count: int) -> None:
        transport.loses += count

    def deliveries() -> Deliveries:
        shop.received.clear()
        functions.deliver()
        return list(shop.received)

    return Side(
        name="real",
        transport=transport,
        api_key=functions.api_key,
        now_seconds=lambda: functions.clock.now_ms() / 1000,
        advance=lambda seconds: _work(functions, seconds),
        lose_answers=lose,
        deliveries=deliveries,
        endpoint_url=shop.url,
        play=lambda name: _PLAYS[name](functions) if name in _PLAYS else None,
        choose=_choose,
    )


def _choose(payment: Payment) -> None:
    assert payment.next_action is not None
    path = urlsplit(payment.next_action.url).path
    event = rest_event("POST", f"{path}/attempts", {"content-type": _FORM}, {}, "method=card", "")
    event |= {"resource": "/checkout/{token}/attempts", "pathParameters": {"token": path.rsplit("/", 1)[-1]}}
    event["requestContext"] |= {"path": f"/v1{path}/attempts"}
    assert checkout.handler(event, Context())["statusCode"] == 303


def _work(functions: Functions, seconds: float) -> None:
    """The sweeper comes every minute, or less often while much time passes."""
    step = max(_STEP_SECONDS, seconds / 4)
    left = seconds
    while left > 0:
        functions.clock.advance(min(left, step))
        left -= step
        functions.work()
        functions.sweep()
        functions.work()


def _soft_decline(functions: Functions) -> None:
    functions.providers.get("alpha").charges = [Declined(code="do_not_honor", kind=DeclineKind.SOFT)]


def _hard_decline(functions: Functions) -> None:
    functions.providers.get("alpha").charges = [Declined(code="stolen_card", kind=DeclineKind.HARD)]


def _reopened_decline(functions: Functions) -> None:
    alpha = functions.providers.get("alpha")
    alpha.charges = [Declined(code="payment_failed", kind=DeclineKind.HARD, reopens_for_seconds=3600)]
    alpha.inquiries = ["charged"] * 9


def _unknown(functions: Functions) -> None:
    alpha = functions.providers.get("alpha")
    alpha.charges = [Unknown(code="timeout")]
    alpha.inquiries = ["charged"] * 9


def _in_review(functions: Functions) -> None:
    alpha = functions.providers.get("alpha")
    alpha.charges = [Unknown(code="timeout")] * 999
    alpha.inquiries = [Unknown(code="timeout")] * 999


def _requires_action(functions: Functions) -> None:
    alpha = functions.providers.get("alpha")
    action = NextAction(kind="redirect", url="https://payer.example.com/authenticate")
    alpha.charges = [ActionRequired(reference="ref-1", action=action)]
    alpha.inquiries = ["charged"] * 9


def _checkout(functions: Functions) -> None:
    """The provider has pages: the payer who comes to one pays there before the first inquiry."""
    alpha = functions.providers.get("alpha")
    alpha.able = replace(alpha.able, hosted=_HOSTED, can_cancel_and_confirm=True)
    _requires_action(functions)


def _checkout_left(functions: Functions) -> None:
    """The payer who comes to the provider's page leaves it."""
    _checkout(functions)
    alpha = functions.providers.get("alpha")
    action = NextAction(kind="redirect", url="https://payer.example.com/authenticate")
    alpha.inquiries = [ActionRequired(reference="ref-1", action=action)] * 999


_HOSTED: Final = HostedCapability(
    methods=frozenset({"card"}), min_lifetime_ms=MINUTE_MS, max_lifetime_ms=DAY_MS, is_closing_proof=True
)
_PLAYS: Final[dict[str, Callable[[Functions], None]]] = {
    "soft_decline": _soft_decline,
    "hard_decline": _hard_decline,
    "late_success": _unknown,
    "in_review": _in_review,
    "reopened_decline": _reopened_decline,
    "requires_action": _requires_action,
    "out_of_order_events": _requires_action,
    "checkout_paid": _checkout,
    "checkout_expired": _checkout,
    "checkout_left": _checkout_left,
}


# -- the doubles


def python_side() -> Side:
    """The double of the Python library."""
    api = FakeApi()
    return Side(
        name="python",
        transport=api,
        api_key=API_KEY,
        now_seconds=api.now_seconds,
        advance=api.advance,
        lose_answers=api.lose_answers,
        deliveries=lambda: [(dict(each.headers), each.body) for each in api.deliveries()],
    )


@contextmanager
def typescript_side() -> Iterator[Side]:
    """The double of the TypeScript library, behind a socket."""
    process = subprocess.Popen(["node", str(DOUBLE_SERVER)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()

        def control(name: str, value: float = 0) -> Any:
            body = json.dumps(value).encode()
            with urlopen(HttpRequest(f"{url}/_double/{name}", data=body, method="POST"), timeout=30) as answer:
                return json.load(answer)

        yield Side(
            name="typescript",
            transport=HttpTransport(url),
            api_key=API_KEY,
            now_seconds=lambda: float(control("now")),
            advance=lambda seconds: control("advance", seconds),
            lose_answers=lambda count: control("lose", count),
            deliveries=lambda: [(each["headers"], each["body"].encode()) for each in control("deliveries")],
        )
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
