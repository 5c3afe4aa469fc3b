"""The operating screens with something on them: no barrier in either theme, and nothing wider than a phone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local.environment import LocalEnvironment
from local.seed import MERCHANT_ID
from ops.console.registry import HIDDEN, SCREENS
from tests.browser.conftest import NewTab
from tests.browser.console_incidents.operator import go_to, operator, said, until, words
from tests.browser.console_places import (
    a_dead_letter,
    a_proposal,
    an_endpoint_that_refuses,
    open_every_detail,
    try_a_document,
)
from tests.browser.operators_console import ConsoleScreens

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

ELSEWHERE = {"now", "find", "story", "reviews", "runbooks"}
"""Screens that `test_console.py` examines."""
HERE = {"deliveries", "dead-letters", "reconciliation", "routing", "providers", "merchants", "approvals"}


@pytest.fixture(scope="module")
def pictures() -> ConsoleScreens:
    return ConsoleScreens("operating")


@pytest.fixture
def tab(environment: LocalEnvironment, new_tab: NewTab) -> "Iterator[Page]":
    with operator(new_tab) as opened:
        yield opened


def test_no_screen_is_left_out() -> None:
    assert {screen.name for screen in (*SCREENS, *HIDDEN)} == ELSEWHERE | HERE


def test_dead_letters(environment: LocalEnvironment, tab: "Page", pictures: ConsoleScreens) -> None:
    with a_dead_letter(environment):
        go_to(tab, "Dead letters")
        pictures.examine(tab, "queues")
        tab.get_by_role("link", name="jobs", exact=True).click()
        tab.get_by_role("heading", name="What a replay would do").wait_for()
        pictures.examine(tab, "dead-letters")


def test_deliveries(environment: LocalEnvironment, tab: "Page", pictures: ConsoleScreens) -> None:
    with an_endpoint_that_refuses(environment):
        go_to(tab, "Deliveries")
        until("the event waits on the page", lambda: _waits(tab))
        pictures.examine(tab, "deliveries")


def _waits(tab: "Page") -> bool:
    tab.reload()
    return tab.get_by_role("button", name="Deliver up to").count() > 0


def test_reconciliation(tab: "Page", pictures: ConsoleScreens) -> None:
    go_to(tab, "Reconciliation")
    form = tab.locator("form[action='/reconciliation/begin']")
    form.get_by_label("Provider").fill("stripe")
    form.get_by_label("Day (UTC)").fill(f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}")
    form.get_by_label("Reason").fill("TICKET-1")
    form.get_by_role("button").click()
    said(tab, "1 begun.")
    pictures.examine(tab, "reconciliation-run")
    go_to(tab, "Reconciliation")
    pictures.examine(tab, "reconciliation")


def test_routing(tab: "Page", pictures: ConsoleScreens) -> None:
    go_to(tab, "Routing")
    for label, value in {"Amount": "1999", "Currency": "USD"}.items():
        tab.get_by_label(label).fill(value)
    tab.get_by_role("button", name="Ask").click()
    said(tab, "It would begin at")
    pictures.examine(tab, "routing")
    tab.get_by_role("link", name="Change it").click()
    try_a_document(tab, with_fault=False)
    assert "?" not in tab.get_by_label("Document").input_value()
    pictures.examine(tab, "routing-tried")
    try_a_document(tab, with_fault=True)
    pictures.examine(tab, "routing-fault")


def test_a_check_without_an_answer_leaves_no_older_verdict(tab: "Page") -> None:
    go_to(tab, "Routing")
    tab.get_by_role("link", name="Change it").click()
    document = tab.get_by_label("Document")
    document.fill(document.input_value() + "\n")
    said(tab, "Without a fault: it may be published.")
    tab.route("**/routing/check", lambda route: route.abort())
    document.fill(document.input_value() + "\n")
    said(tab, "This text could not be checked.")
    assert "it may be published" not in words(tab)


def test_what_was_typed_before_the_script_ran_is_checked(tab: "Page") -> None:
    go_to(tab, "Routing")
    held: list[Route] = []
    tab.route("**/static/console.js", lambda route: held.append(route))  # noqa: PLW0108 - it takes no method
    tab.get_by_role("link", name="Change it").click(no_wait_after=True)
    document = tab.get_by_label("Document")
    document.fill(document.input_value() + "\n")
    assert "it may be published" not in words(tab)
    held[0].continue_()
    said(tab, "Without a fault: it may be published.")


def test_a_link_that_opens_in_another_tab_leaves_this_one_at_rest(tab: "Page") -> None:
    with tab.context.expect_page():
        tab.get_by_role("link", name="Find", exact=True).click(modifiers=["Control"])
    assert "loading" not in (tab.locator("body").get_attribute("class") or "").split()


def test_a_routing_document_is_published_from_the_page(tab: "Page") -> None:
    go_to(tab, "Routing")
    tab.get_by_role("link", name="Change it").click()
    document = tab.get_by_label("Document")
    changed = document.input_value().replace('"version": "', '"version": "again-', 1)
    document.fill(changed)
    tab.get_by_role("button", name="Check", exact=True).click()
    said(tab, "Without a fault: it may be published.")
    form = tab.locator("form[action='/routing/publish']")
    form.get_by_label("Reason").fill("TICKET-1: the same rules under another version")
    form.get_by_role("button").click()
    tab.get_by_role("status").filter(has_text="Version").wait_for()
    go_to(tab, "Routing")
    tab.get_by_text("The document as text").click()
    assert tab.locator("pre").first.inner_text().strip() == changed.strip()


def test_providers(tab: "Page", pictures: ConsoleScreens) -> None:
    go_to(tab, "Providers")
    said(tab, "Credentials written")
    open_every_detail(tab)
    pictures.examine(tab, "providers")


def test_merchants_and_their_keys(tab: "Page", pictures: ConsoleScreens) -> None:
    go_to(tab, "Merchants")
    tab.get_by_role("link", name=MERCHANT_ID, exact=True).click()
    tab.get_by_role("heading", name="API keys").wait_for()
    open_every_detail(tab)
    pictures.examine(tab, "merchant")


def test_a_change_that_waits_for_a_second_person(tab: "Page", pictures: ConsoleScreens) -> None:
    address = a_proposal()
    tab.goto(tab.url.rstrip("/") + address)
    tab.get_by_role("heading", name="Approve").wait_for()
    pictures.examine(tab, "approval")
    go_to(tab, "Reviews")
    tab.get_by_role("heading", name="Waiting for a second person").wait_for()
    pictures.examine(tab, "reviews-with-proposals")
