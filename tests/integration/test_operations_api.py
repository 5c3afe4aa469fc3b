"""Captures, voids and refunds through the handlers and the engine."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest

from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.payments.request_operation import NewOperation
from payflowx.domain.payments.outcome import Declined, Unknown
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from tests.support.handlers import Functions

CLIENTS = 50


def paid(functions: Functions, **changes: Any) -> str:
    created = functions.pay(**changes)[1]
    functions.work()
    return str(created["transactionId"])


def ask(functions: Functions, of: str, what: str, body: Any = None, key: str | None = "k") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return functions.call("POST", f"/payments/{of}/{what}", body, headers=headers)


class OneCallAtATime:
    """The engine in this process takes one call at a time; between two calls of a client, the others have theirs."""

    def __init__(self, client: Any, lock: Lock) -> None:
        self._client, self._lock = client, lock

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            with self._lock:
                return getattr(self._client, name)(**request)

        return call


class TestRefunds:
    def test_it_is_accepted_polled_and_done(self, functions: Functions) -> None:
        payment = paid(functions, amount=10_000)
        status, refund, headers = ask(functions, payment, "refunds", {"amount": 6_000})
        assert (status, refund["status"], refund["kind"], refund["amount"]) == (202, "PENDING", "refund", 6_000)
        assert headers["Location"] == f"/payments/{payment}/operations/{refund['operationId']}"
        functions.work()
        status, done, _ = functions.call("GET", headers["Location"])
        assert (status, done["status"], done["provider"]) == (200, "SUCCEEDED", "alpha")
        body = functions.call("GET", f"/payments/{payment}")[1]
        assert (body["refunded"], body["refundable"], body["captured"]) == (6_000, 4_000, 10_000)
        items = functions.call("GET", f"/payments/{payment}/operations")[1]["items"]
        assert [item["operationId"] for item in items] == [refund["operationId"]]

    def test_the_list_goes_on_with_a_cursor_of_its_own(self, functions: Functions) -> None:
        payment, other = paid(functions, amount=10_000), paid(functions, key="another")
        made = [ask(functions, payment, "refunds", {"amount": 1}, key=f"r-{n}")[1]["operationId"] for n in range(5)]
        path, found, cursor = f"/payments/{payment}/operations", [], ""
        for _ in range(3):
            page = functions.call("GET", path, query={"limit": "2"} | ({"cursor": cursor} if cursor else {}))[1]
            found += [item["operationId"] for item in page["items"]]
            cursor = page["nextCursor"]
        assert sorted(found) == sorted(made)
        assert cursor is None
        first = functions.call("GET", path, query={"limit": "2"})[1]["nextCursor"]
        for wrong in (f"/payments/{other}/operations", f"/payments/{payment}/events"):
            status, body, _ = functions.call("GET", wrong, query={"cursor": first})
            assert (status, body["code"]) == (400, "cursor_invalid")
        assert functions.call("GET", path, query={"limit": "101"})[1]["code"] == "parameter_invalid"
        assert len(functions.call("GET", path)[1]["items"]) == 5

    def test_a_repeat_repeats_the_answer_and_not_the_refund(self, functions: Functions) -> None:
        payment = paid(functions)
        first = ask(functions, payment, "refunds", {"amount": 500})
        again = ask(functions, payment, "refunds", {"amount": 500})
        assert again[1] == first[1]
        assert (again[0], again[2]["Idempotency-Replayed"]) == (202, "true")
        assert ask(functions, payment, "refunds", {"amount": 501})[1]["code"] == "idempotency_key_reused"

    def test_fifty_at_once_of_sixty_on_a_hundred_are_one(self, functions: Functions) -> None:
        payment = paid(functions, amount=100)
        lock, wired = Lock(), functions.api
        for adapter in (wired.payments, wired.operations, wired.jobs):
            object.__setattr__(adapter, "client", OneCallAtATime(adapter.client, lock))

        def refund(number: int) -> str:
            request = NewOperation(
                merchant_id="acme",
                transaction_id=payment,
                kind=OperationKind.REFUND,
                amount=60,
                idempotency_key=f"refund-{number}",
                path=f"/payments/{payment}/refunds",
                fingerprint=str(number),
            )
            try:
                return wired.request_operation(request).operation.operation_id
            except Refusal as refusal:
                return refusal.code

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(refund, range(CLIENTS)))
        accepted = [answer for answer in answers if answer.startswith("ref_")]
        assert len(accepted) == 1
        assert set(answers) - set(accepted) == {"amount_exceeded"}
        functions.work()
        body = functions.call("GET", f"/payments/{payment}")[1]
        assert (body["refunded"], body["refundable"]) == (60, 40)
        assert functions.providers.get("alpha").moves_of("move") == 1

    def test_what_was_refused_is_given_back_and_says_why(self, functions: Functions) -> None:
        functions.providers.get("alpha").moves = [Declined(code="too_old", message="Too old.")]
        payment = paid(functions)
        _, refund, headers = ask(functions, payment, "refunds", {"amount": 500})
        functions.work()
        failed = functions.call("GET", headers["Location"])[1]
        assert (failed["status"], failed["lastError"]["providerCode"]) == ("FAILED", "too_old")
        assert failed["lastError"]["providerMessage"] == "Too old."
        assert functions.call("GET", f"/payments/{payment}")[1]["refundable"] == 1999
        assert refund["operationId"] == failed["operationId"]

    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            ({"amount": 2_000}, "amount_exceeded", "amount"),
            ({"amount": 0}, "amount_invalid", "amount"),
            ({"amount": 1.5}, "amount_invalid", "amount"),
            ({"amount": "5"}, "amount_invalid", "amount"),
            ({"currency": "USD"}, "unknown_field", None),
            ({"amount": 5, "reason": "4111 1111 1111 1111"}, "card_data_refused", None),
        ],
    )
    def test_bad_input_is_named_and_nothing_is_written(
        self, functions: Functions, body: Any, code: str, field: str | None
    ) -> None:
        payment = paid(functions)
        before = functions.call("GET", f"/payments/{payment}")[1]
        status, problem, _ = ask(functions, payment, "refunds", body)
        assert (status, problem["code"], problem.get("field")) == (422, code, field)
        assert functions.call("GET", f"/payments/{payment}")[1] == before

    @pytest.mark.parametrize("kind", ["refunds", "capture"])
    def test_an_amount_of_null_moves_nothing(self, functions: Functions, kind: str) -> None:
        payment = paid(functions)
        before = functions.call("GET", f"/payments/{payment}")[1]
        status, problem, _ = ask(functions, payment, kind, {"amount": None})
        assert (status, problem["code"], problem.get("field")) == (422, "amount_invalid", "amount")
        assert "null" in problem["detail"]
        assert functions.call("GET", f"/payments/{payment}")[1] == before

    def test_a_key_is_needed(self, functions: Functions) -> None:
        assert ask(functions, paid(functions), "refunds", {"amount": 5}, None)[1]["code"] == "idempotency_key_required"

    def test_an_unresolved_payment_is_409_and_is_asked_about(self, functions: Functions) -> None:
        functions.providers.get("alpha").charges = [Unknown(code="read_timeout")]
        payment = paid(functions)
        functions.messages()
        status, problem, headers = ask(functions, payment, "refunds")
        assert (status, problem["code"], headers["Retry-After"]) == (409, "outcome_unknown", "30")
        assert len(functions.messages()) == 1

    def test_another_merchants_payment_does_not_exist(self, functions: Functions) -> None:
        payment = paid(functions)
        operation = ask(functions, payment, "refunds", {"amount": 5})[1]["operationId"]
        for method, path in (
            ("POST", f"/payments/{payment}/refunds"),
            ("POST", f"/payments/{payment}/capture"),
            ("POST", f"/payments/{payment}/cancel"),
            ("GET", f"/payments/{payment}/operations"),
            ("GET", f"/payments/{payment}/operations/{operation}"),
        ):
            answer = functions.call(method, path, headers={"Idempotency-Key": "x"}, merchant_id="other")
            assert (answer[0], answer[1]["code"]) == (404, "not_found"), path


class TestManualCapture:
    def test_a_part_is_captured_and_the_rest_released(self, functions: Functions) -> None:
        payment = paid(functions, capture="manual")
        assert functions.call("GET", f"/payments/{payment}")[1]["status"] == "AUTHORIZED"
        status, capture, _ = ask(functions, payment, "capture", {"amount": 1_500})
        assert (status, capture["kind"]) == (202, "capture")
        functions.work()
        body = functions.call("GET", f"/payments/{payment}")[1]
        assert (body["status"], body["captured"], body["refundable"], body["capturable"]) == ("SUCCESS", 1500, 1500, 0)

    def test_without_a_body_all_of_it_is_captured(self, functions: Functions) -> None:
        payment = paid(functions, capture="manual")
        assert ask(functions, payment, "capture")[1]["amount"] == 1999

    def test_a_cancellation_is_a_void_to_poll_and_needs_no_key(self, functions: Functions) -> None:
        payment = paid(functions, capture="manual")
        status, body, headers = ask(functions, payment, "cancel", key=None)
        assert (status, body["status"]) == (202, "AUTHORIZED")
        assert "/operations/void_" in headers["Location"]
        assert ask(functions, payment, "cancel", key=None)[2]["Location"] == headers["Location"]
        functions.work()
        assert functions.call("GET", headers["Location"])[1]["status"] == "SUCCEEDED"
        status, body, _ = ask(functions, payment, "cancel", key=None)
        assert (status, body["status"]) == (200, "CANCELLED")

    def test_the_key_of_a_cancellation_is_not_used(self, functions: Functions) -> None:
        """One key for all cancellations is no error, and a void that failed is not repeated as an answer."""
        functions.providers.get("alpha").moves = [Declined(code="try_later")]
        first, second = (functions.pay(key, capture="manual")[1]["transactionId"] for key in ("one", "two"))
        functions.work()
        voids = [ask(functions, payment, "cancel", key="same")[2]["Location"] for payment in (first, second)]
        functions.work()
        assert [functions.call("GET", void)[1]["status"] for void in voids] == ["FAILED", "SUCCEEDED"]
        again = ask(functions, first, "cancel", key="same")[2]["Location"]
        functions.work()
        assert functions.call("GET", again)[1]["status"] == "SUCCEEDED"

    def test_a_capture_after_a_cancellation_is_refused(self, functions: Functions) -> None:
        payment = paid(functions, capture="manual")
        ask(functions, payment, "cancel", key=None)
        status, problem, _ = ask(functions, payment, "capture")
        assert (status, problem["code"]) == (409, "invalid_state")

    def test_the_audit_log_is_whole(self, functions: Functions) -> None:
        payment = paid(functions, capture="manual")
        ask(functions, payment, "capture")
        functions.work()
        ask(functions, payment, "refunds", {"amount": 9})
        functions.work()
        answer = functions.operate(command="verify_trail", merchantId="acme", transactionId=payment)
        assert (answer["whole"], answer["faults"]) == (True, [])
        events = functions.call("GET", f"/payments/{payment}/events")[1]["items"]
        assert [event["type"] for event in events] == [
            *("payment.accepted", "attempt.authorized", "capture.requested", "capture.succeeded"),
            *("refund.requested", "refund.succeeded"),
        ]


def test_a_worker_that_dies_between_call_and_record_leaves_a_refund_that_is_found(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = paid(functions)
    alpha = functions.providers.get("alpha")
    _, _, headers = ask(functions, payment, "refunds", {"amount": 500})

    def die(_self: object, _change: object) -> None:
        raise ConnectionError("the process is gone")

    with monkeypatch.context() as dying:
        dying.setattr(DynamoDBPayments, "commit", die)
        assert len(functions.work()["batchItemFailures"]) == 1
    alpha.operation_inquiries = ["moved"]
    functions.clock.advance(61)
    assert functions.sweep()["woken"] == 1
    functions.work()
    assert functions.call("GET", headers["Location"])[1]["status"] == "SUCCEEDED"
    assert alpha.moves_of("move") == 1
