"""An operator in front of the console, and the trouble that is prepared for them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from local.environment import LocalEnvironment
from local.errors import LocalEnvironmentError
from tests.browser.conftest import NewTab
from tests.browser.operators_console import running_console

if TYPE_CHECKING:
    from playwright.sync_api import Page

MINUTES: Final = 15
"""An incident has to be over by then."""
_PATIENT_SECONDS: Final = 120


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


def pay(environment: LocalEnvironment, token: str = "tok_success", **more: Any) -> dict[str, Any]:
    """A new payment, as it was accepted. A request without an answer in time is repeated with the same key."""
    key = f"incident-{time.time_ns()}"
    body = {"amount": 1_999, "currency": "USD", "paymentMethod": {"type": "card", "token": token}, "orderId": key}
    made: dict[str, Any] = {}

    def is_accepted() -> bool:
        made.update(_accepted(environment, {**body, **more}, key))
        return bool(made)

    until("the API accepts the payment", is_accepted)
    return made


def _accepted(environment: LocalEnvironment, body: dict[str, Any], key: str) -> dict[str, Any]:
    try:
        return environment.api().post("/payments", body, key)
    except LocalEnvironmentError as error:
        if " answered 5" not in str(error):
            raise
        return {}


def settled(environment: LocalEnvironment, payment: dict[str, Any]) -> dict[str, Any]:
    """The payment when it is no longer pending."""
    path = f"/payments/{payment['transactionId']}"
    until(f"{path} is decided", lambda: environment.api().get(path)["status"] != "PENDING")
    found: dict[str, Any] = environment.api().get(path)
    return found
