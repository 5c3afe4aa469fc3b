"""One client: what it sends, what it repeats, what it raises, what it shows."""

import contextlib
import socket
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

import payflowx_client as pfx
from payflowx.entrypoints.api.problems import KINDS
from payflowx_client import Client, PaymentMethod, PaymentStatus, Retries
from payflowx_client.errors import BY_CODE
from payflowx_client.retries import retry_after_seconds
from payflowx_client.transport import _Deadline
from tests.unit.clients.conftest import StillClock
from tests.unit.clients.samples import named, page, payment
from tests.unit.clients.server import Came, Say, Server, problem

PAY: dict[str, Any] = {
    "amount": 1999,
    "currency": "USD",
    "payment_method": PaymentMethod(type="card", token="tok_private"),
    "key": ("order", 4711),
}
LOST = Say(hangs_up=True)


def test_a_lost_answer_is_repeated_with_the_same_bytes_and_the_same_key(client: Client, server: Server) -> None:
    server.answers = [LOST, problem(503, "unavailable"), problem(500, "internal_error"), Say(202, payment())]
    client.payments.create(**PAY)
    assert len(server.came) == 4
    assert len({(each.body, each.headers["idempotency-key"]) for each in server.came}) == 1


@pytest.mark.parametrize("answer", [LOST, problem(503, "unavailable"), problem(504, "gateway_timeout")])
def test_without_a_key_nothing_that_may_have_been_executed_is_repeated(
    client: Client, server: Server, answer: Say
) -> None:
    for call in (
        lambda: client.webhook_endpoints.create(url="https://a.example.com"),
        lambda: client.webhook_endpoints.rotate_secret("we_1"),
        lambda: client.events.redeliver("evt_1"),
    ):
        server.came.clear()
        server.answers = [answer]
        with pytest.raises(pfx.PayFlowXError):
            call()
        assert len(server.came) == 1


def test_a_request_that_was_refused_for_its_rate_is_repeated_without_a_key_too(client: Client, server: Server) -> None:
    server.answers = [problem(429, "rate_limited", Retry_After="1"), Say(200, named("EndpointSecretAnswer"))]
    assert client.webhook_endpoints.rotate_secret("we_1").secret == "text"


def test_retry_after_is_honoured(client: Client, server: Server, clock: StillClock) -> None:
    server.answers = [problem(503, "unavailable", Retry_After="7"), Say(200, payment())]
    client.payments.get("pay_1")
    assert 7 <= clock.slept[0] < 8


def test_a_wait_that_would_end_too_late_is_not_begun(client: Client, server: Server, clock: StillClock) -> None:
    server.answers = [problem(503, "not_readable", Retry_After="600")]
    with pytest.raises(pfx.NotReadableError) as raised:
        client.payments.get("pay_1")
    assert (clock.slept, raised.value.problem.retry_after_seconds) == ([], 600)


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (401, "unauthenticated"), (403, "forbidden")])
def test_a_refusal_at_the_door_does_not_hide_that_an_earlier_answer_was_lost(
    client: Client, server: Server, status: int, code: str
) -> None:
    server.answer = lambda _: LOST if len(server.came) == 1 else problem(status, code)
    with pytest.raises(pfx.UnansweredError, match="earlier") as raised:
        client.payments.create(**PAY)
    assert isinstance(raised.value.__cause__, pfx.ApiError)


def test_retries_end(client: Client, server: Server) -> None:
    server.answer = lambda _: LOST
    with pytest.raises(pfx.UnansweredError) as raised:
        client.with_options(retries=Retries(attempts=3)).payments.create(**PAY | {"key": "mine"})
    assert (len(server.came), raised.value.idempotency_key) == (3, "mine")


def test_an_api_that_is_not_there(clock: StillClock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = Client(base_url=f"http://127.0.0.1:{unused.getsockname()[1]}", api_key="k", clock=clock)
        with pytest.raises(pfx.UnansweredError, match="not connected"):
            client.webhook_endpoints.rotate_secret("we_1")
    assert len(clock.slept) == 4


def test_a_server_that_does_not_answer_costs_the_timeout_only() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = Client(base_url=url, api_key="k", timeout_seconds=0.2, retries=pfx.NO_RETRIES)
        with pytest.raises(pfx.UnansweredError, match="TimeoutError"):
            client.payments.get("pay_1")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"], ids=["head", "body"])
def test_a_server_that_answers_a_byte_at_a_time_costs_the_timeout_only(start: bytes) -> None:
    def drip() -> None:
        connection, _ = slow.accept()
        with connection:
            connection.recv(4096)
            with contextlib.suppress(OSError):
                connection.sendall(start)
                while True:
                    connection.sendall(b"H")
                    time.sleep(0.02)

    with socket.socket() as slow:
        slow.bind(("127.0.0.1", 0))
        slow.listen()
        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{slow.getsockname()[1]}"
        client = Client(base_url=url, api_key="k", timeout_seconds=0.3, retries=pfx.NO_RETRIES)
        started = time.monotonic()
        with pytest.raises(pfx.UnansweredError, match="TimeoutError"):
            client.payments.get("pay_1")
        assert time.monotonic() - started < 5
        thread.join(10)
        assert not thread.is_alive()


def test_nothing_is_sent_or_read_after_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"late")
        late = _Deadline(ours, time.monotonic() - 1)
        with pytest.raises(TimeoutError):
            late.sendall(b"x")
        with pytest.raises(TimeoutError):
            late.makefile("rb").read(1)


@pytest.mark.parametrize("status", [102, 103])
def test_an_interim_answer_is_no_answer(client: Client, server: Server, status: int) -> None:
    server.answers = [Say(status, b""), Say(200, payment())]
    assert client.payments.get("pay_1").transaction_id == "text"


def test_an_answer_that_ends_too_early_is_a_lost_answer(client: Client, server: Server) -> None:
    server.answers = [Say(200, b"{", {"Content-Length": "100"}), Say(200, payment())]
    assert client.payments.get("pay_1").transaction_id == "text"


@pytest.mark.parametrize("code", KINDS)
def test_every_problem_of_the_api_has_its_exception(client: Client, server: Server, code: str) -> None:
    status = KINDS[code].status
    server.answer = lambda _: problem(status, code)
    with pytest.raises(pfx.ApiError) as raised:
        client.with_options(retries=pfx.NO_RETRIES).payments.get("pay_1")
    error = raised.value
    assert (error.code, error.status, error.request_id) == (code, status, "req-1")
    assert "req-1" in str(error)
    expected = {
        400: pfx.InvalidRequestError,
        401: pfx.AuthenticationError,
        403: pfx.ForbiddenError,
        404: pfx.NotFoundError,
        409: pfx.ConflictError,
        413: pfx.InvalidRequestError,
        415: pfx.InvalidRequestError,
        422: pfx.InvalidRequestError,
        429: pfx.RateLimitedError,
        500: pfx.UnavailableError,
        503: pfx.UnavailableError,
        504: pfx.UnavailableError,
    }[status]
    assert isinstance(error, expected)


def test_no_exception_is_for_a_code_that_the_api_does_not_have() -> None:
    assert set(BY_CODE) <= set(KINDS)


@pytest.mark.parametrize(
    "say", [Say(200, b"<html>"), Say(302, b"", {"Location": "/x"}), Say(418, b"tea"), Say(200, {"status": 1})]
)
def test_what_is_not_of_the_api_is_no_answer_of_it(client: Client, server: Server, say: Say) -> None:
    server.answers = [say]
    with pytest.raises(pfx.UnexpectedAnswerError):
        client.payments.get("pay_1")


def test_a_proxys_error_page_leaves_the_outcome_open(client: Client, server: Server) -> None:
    server.answers = [Say(502, b"<html>")]
    with pytest.raises(pfx.UnansweredError):
        client.with_options(retries=pfx.NO_RETRIES).payments.create(**PAY)


def test_a_deletion_whose_answer_was_lost_has_happened(client: Client, server: Server) -> None:
    server.answers = [LOST, problem(404, "not_found")]
    client.webhook_endpoints.delete("we_1")
    server.answers = [problem(404, "not_found")]
    with pytest.raises(pfx.NotFoundError):
        client.webhook_endpoints.delete("we_1")


def test_a_cancellation_is_repeated_without_a_key(client: Client, server: Server) -> None:
    server.answers = [LOST, Say(200, payment(status="CANCELLED"))]
    assert client.payments.cancel("pay_1").status is PaymentStatus.CANCELLED


def test_the_correlation_id_is_passed_on(client: Client, server: Server) -> None:
    server.answer = lambda _: problem(404, "not_found", X_Correlation_Id="checkout-1")
    with pytest.raises(pfx.NotFoundError) as raised:
        client.with_options(correlation_id="checkout-1").payments.get("pay_1")
    assert server.came[0].headers["x-correlation-id"] == "checkout-1"
    assert raised.value.problem.correlation_id == "checkout-1"
    with pytest.raises(ValueError, match="correlation"):
        client.with_options(correlation_id="a\r\nb")


def test_nothing_shows_a_secret(client: Client, server: Server) -> None:
    server.answer = lambda _: LOST
    made = client.with_options(retries=pfx.NO_RETRIES)
    with pytest.raises(pfx.UnansweredError) as raised:
        made.payments.create(**PAY, customer=pfx.Customer(email="payer@example.com"))
    secret = pfx.models.EndpointSecret.from_json(named("EndpointSecretAnswer", secret="whsec_private"))
    shown = " ".join(map(repr, [client, made, client._send, PAY["payment_method"], secret, raised.value]))
    shown += repr(pfx.models.NextAction.from_json(named("NextActionAnswer", url="https://acs.example.com/session")))
    shown += repr(pfx.Customer(email="payer@example.com")) + str(raised.value) + repr(vars(client.payments))
    for private in ("pfx_test_sk_secret", "tok_private", "payer@example.com", "whsec_private", "session"):
        assert private not in shown


@pytest.mark.parametrize(
    "url", ["http://api.example.com", "ftp://a", "https://", "https://a?b", "https://user:p@a", "api.example.com"]
)
def test_a_base_url_that_would_show_the_key_or_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Client(base_url=url, api_key="k")


def test_the_path_of_the_base_url_is_kept(server: Server, clock: StillClock) -> None:
    server.answers = [Say(200, payment())]
    Client(base_url=server.url + "/prod/", api_key="k", clock=clock).payments.get("pay_/../x")
    assert server.came[0].target == "/prod/payments/pay_%2F..%2Fx"


@pytest.mark.parametrize("amount", [None, 5.0, True, "5"])
def test_a_missing_or_wrong_amount_never_refunds_everything(client: Client, server: Server, amount: Any) -> None:
    for call in (client.refunds.create, client.payments.capture):
        with pytest.raises(TypeError):
            call("pay_1", amount=amount, key="k")
    assert server.came == []


def test_the_remaining_amount_is_refunded_when_it_is_asked_for(client: Client, server: Server) -> None:
    server.answers = [Say(202, named("OperationAnswer"))]
    client.refunds.create("pay_1", amount=pfx.REMAINING, key="k")
    assert server.came[0].body == b"{}"


def test_lists_go_on_over_empty_pages(client: Client, server: Server) -> None:
    pages = {None: ([payment(transactionId="a")], "c1"), "c1": ([], "c2"), "c2": ([payment(transactionId="b")], None)}

    def answer(came: Came) -> Say:
        cursor = came.target.partition("cursor=")[2].partition("&")[0] or None
        items, following = pages[cursor]
        return Say(200, page("PaymentListAnswer", items, following))

    server.answer = answer
    listing = client.payments.list(status=PaymentStatus.SUCCESS, from_=datetime(2026, 1, 1, tzinfo=UTC))
    assert [each.transaction_id for each in listing] == ["a", "b"]
    assert [each.transaction_id for each in listing] == ["a", "b"]
    assert all("status=SUCCESS&from=2026-01-01T00%3A00%3A00%2B00%3A00" in each.target for each in server.came)


def test_a_list_with_rows_that_cannot_be_shown_does_not_look_complete(client: Client, server: Server) -> None:
    server.answers = [Say(200, page("", [payment()], None, unreadable=["pay_2"]))]
    found: list[pfx.Payment] = []
    with pytest.raises(pfx.IncompleteListError) as raised:
        found.extend(client.payments.list())
    assert raised.value.ids == ("pay_2",)


def test_a_cursor_that_comes_twice_ends_the_list(client: Client, server: Server) -> None:
    server.answer = lambda _: Say(200, page("", [], "again"))
    with pytest.raises(pfx.UnexpectedAnswerError, match="already"):
        list(client.events.list())
    assert len(server.came) == 2


def test_a_time_needs_its_zone(client: Client) -> None:
    with pytest.raises(ValueError, match="zone"):
        list(client.payments.list(from_=datetime(2026, 1, 1)))  # noqa: DTZ001 - the point


def test_waiting_asks_less_and_less_often(client: Client, server: Server, clock: StillClock) -> None:
    server.answers = [*[Say(200, payment(status="PENDING"))] * 5, Say(200, payment(status="SUCCESS"))]
    assert client.payments.wait_for("pay_1").status is PaymentStatus.SUCCESS
    assert clock.slept[-1] > 3 * clock.slept[0]


def test_waiting_too_long_is_no_failure(client: Client, server: Server, clock: StillClock) -> None:
    server.answer = lambda _: Say(200, payment(status="PENDING"))
    with pytest.raises(pfx.StillWaitingError) as raised:
        client.payments.wait_for("pay_1", timeout_seconds=30)
    assert raised.value.last.status is PaymentStatus.PENDING
    assert clock.now == pytest.approx(1030)


def test_waiting_goes_on_over_temporary_errors(client: Client, server: Server, clock: StillClock) -> None:
    errors = [LOST, problem(503, "not_readable", Retry_After="20"), problem(429, "rate_limited"), Say(502, b"<html>")]
    server.answers = [*errors, Say(200, payment(status="SUCCESS"))]
    assert client.payments.wait_for("pay_1").status is PaymentStatus.SUCCESS
    assert clock.slept[1] == 20
    server.answer = lambda _: LOST
    with pytest.raises(pfx.StillWaitingError) as raised:
        client.payments.wait_for("pay_1")
    assert raised.value.last is None


def test_waiting_for_a_payment_that_does_not_exist_ends(client: Client, server: Server) -> None:
    server.answers = [problem(404, "not_found")]
    with pytest.raises(pfx.NotFoundError):
        client.payments.wait_for("pay_1")


def test_waiting_for_what_will_not_come_ends(client: Client, server: Server) -> None:
    server.answers = [Say(200, payment(status="FAILED"))]
    with pytest.raises(pfx.OtherEndError) as raised:
        client.payments.wait_for("pay_1", until={PaymentStatus.SUCCESS})
    assert raised.value.last.status is PaymentStatus.FAILED


def test_waiting_for_an_operation(client: Client, server: Server) -> None:
    operation = pfx.Operation.from_json(named("OperationAnswer", status="PENDING"))
    server.answers = [Say(200, named("OperationAnswer", status=each)) for each in ("PENDING", "SUCCEEDED")]
    assert client.operations.wait_for(operation).status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("", None), ("-1", None), ("1.5", None), ("soon", None), ("Thu, 01 Jan 2026 00:00:10 GMT", 10)],
)
def test_retry_after_in_both_forms(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value}, datetime(2026, 1, 1, tzinfo=UTC)) == seconds
