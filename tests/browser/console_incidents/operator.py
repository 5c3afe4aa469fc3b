"""An operator in front of the console, and the trouble that is prepared for them."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

from local.environment import LocalEnvironment
from local.errors import LocalEnvironmentError
from local.merchant_endpoint import MerchantEndpoint, Received
from local.simulators import control
from ops.session import Session
from tests.browser.conftest import NewTab
from tests.browser.operators_console import running_console

if TYPE_CHECKING:
    from playwright.sync_api import Page

Answer = TypeVar("Answer")

MINUTES: Final = 15
"""An incident has to be over by then."""
_PATIENT_SECONDS: Final = 300
"""Nothing that is waited for takes so long, except on a machine that other work has slowed down."""
_DOWN_SECONDS: Final = 90
_BREAKER_SECONDS: Final = 900
"""A breaker stays open for ten minutes after the last failure."""


@contextmanager
def operator(new_tab: NewTab) -> "Iterator[Page]":
    """A tab on a console that may change things, for as long as an incident may last."""
    started = time.monotonic()
    with running_console("--write") as address:
        tab = new_tab()
        tab.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        tab.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        tab.goto(address)
        yield tab
    assert time.monotonic() - started < MINUTES * 60


def go_to(tab: "Page", screen: str) -> None:
    """By the menu."""
    tab.get_by_role("navigation", name="Screens").get_by_role("link", name=screen, exact=True).click()
    tab.get_by_role("heading", name=screen).first.wait_for()


def said(tab: "Page", text: str) -> None:
    """Wait until the page says it. A failure shows what it says instead."""
    try:
        tab.get_by_text(text).first.wait_for()
    except Exception as error:
        raise AssertionError(f"not said: {text}\n{words(tab)}") from error


def words(tab: "Page") -> str:
    """What the page says."""
    return tab.locator("main").inner_text()


def until(what: str, is_so: Callable[[], bool], *, seconds: int = _PATIENT_SECONDS) -> None:
    """Wait for something outside of the page."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.5)


@contextmanager
def a_provider_that_is_down(environment: LocalEnvironment, provider: str) -> Iterator[dict[str, Any]]:
    """A payment that began there and was paid elsewhere. Afterwards the provider is switched on, whatever happened."""
    until(f"new payments begin at {provider}", lambda: begins_at(environment, provider), seconds=_BREAKER_SECONDS)
    _close_port(environment.mocks[provider], seconds=_DOWN_SECONDS)
    paid = settled(environment, pay(environment))
    tried = [attempt["provider"] for attempt in paid["attempts"]]
    assert (paid["status"], tried[0], len(tried)) == ("SUCCESS", provider, 2), paid
    try:
        yield paid
    finally:
        switch = {"provider": provider, "merchantId": None, "disabled": False}
        Session().change("set_provider_switch", "the incident is over", **switch)


def _close_port(simulator: str, *, seconds: int) -> None:
    """Take a simulated provider down, and wait until it is: it answers this request before it closes its port."""
    control(simulator, closePortSeconds=seconds)
    port = int(simulator.rpartition(":")[2])

    def is_closed() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) != 0

    until("the provider refuses connections", is_closed)


def answered(ask: Callable[[], Answer]) -> Answer:
    """The answer to a request that may be repeated as it is: a busy machine gives some answers too late."""
    answers: list[Answer] = []

    def is_answered() -> bool:
        try:
            answers.append(ask())
        except LocalEnvironmentError as error:
            if not any(text in str(error) for text in (" answered 5", " answered 429")):
                raise
        return bool(answers)

    until("the API answers", is_answered)
    return answers[0]


def pay(environment: LocalEnvironment, token: str = "tok_success", **more: Any) -> dict[str, Any]:
    """A new payment, as it was accepted."""
    key = f"incident-{time.time_ns()}"
    body = {"amount": 1_999, "currency": "USD", "paymentMethod": {"type": "card", "token": token}, "orderId": key}
    return answered(lambda: environment.api().post("/payments", {**body, **more}, key))


@contextmanager
def endpoint_of(environment: LocalEnvironment, received: Received) -> Iterator[str]:
    """The address of a server that is registered for the merchant's events. It is removed afterwards."""
    with MerchantEndpoint(received) as endpoint:
        body, key = {"url": endpoint.url}, f"endpoint-{time.time_ns()}"
        made = answered(lambda: environment.api().post("/webhook-endpoints", body, key))
        received.secret = made["secret"]
        try:
            yield endpoint.url
        finally:
            answered(lambda: environment.api().delete(f"/webhook-endpoints/{made['id']}"))


def refused_payment(environment: LocalEnvironment, received: Received) -> str:
    """The id of a payment with an event that the endpoint refused.

    Functions ask once a minute whether a merchant has endpoints at all, so the first payments may have no delivery.
    """

    def is_refused() -> bool:
        settled(environment, pay(environment))
        return bool(received.refused_payments)

    until("the endpoint refuses an event", is_refused)
    return next(iter(received.refused_payments))


def begins_at(environment: LocalEnvironment, provider: str) -> bool:
    """Whether a new payment's first attempt is there."""
    made = settled(environment, pay(environment))
    return bool(made["attempts"][0]["provider"] == provider)


def payment_in_review(environment: LocalEnvironment) -> dict[str, Any]:
    """A payment of which `mock` reports another amount.

    Payments pass `mock` over while its breaker is open, such as after an incident: then another one is made.
    """
    made: dict[str, Any] = {}

    def is_in_review() -> bool:
        nonlocal made
        made = settled(environment, pay(environment, "tok_wrong_amount@mock"))
        return bool(made["status"] == "IN_REVIEW")

    until("a payment is in review", is_in_review, seconds=_BREAKER_SECONDS)
    return made


def settled(environment: LocalEnvironment, payment: dict[str, Any]) -> dict[str, Any]:
    """The payment when it is no longer pending."""
    path = f"/payments/{payment['transactionId']}"
    found = payment

    def is_decided() -> bool:
        nonlocal found
        found = answered(lambda: environment.api().get(path))
        return bool(found["status"] != "PENDING")

    until(f"{path} is decided", is_decided)
    return found
