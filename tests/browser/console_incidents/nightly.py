"""The other incidents: a provider that is down, a webhook endpoint that is lost, a reconciliation that does not end."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from local.environment import LocalEnvironment
from local.merchant_endpoint import Received
from local.simulators import control
from tests.browser.conftest import NewTab
from tests.browser.console_incidents.operator import (
    a_provider_that_is_down,
    begins_at,
    endpoint_of,
    go_to,
    operator,
    refused_payment,
    said,
    until,
    words,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_HEEDED_SECONDS: Final = 60
"""A switch is heeded by then, as the page says."""


def test_a_provider_is_down_and_is_taken_out_and_put_back(environment: LocalEnvironment, new_tab: NewTab) -> None:
    with a_provider_that_is_down(environment, "mock") as failed_over, operator(new_tab) as tab:
        go_to(tab, "Find")
        tab.get_by_role("link", name=failed_over["transactionId"]).click()
        tab.get_by_role("heading", name=failed_over["transactionId"]).wait_for()
        assert "connection_refused" in words(tab) or "not sent" in words(tab).lower()
        for switch, reason, expected in (
            ("off", "INC-1: refuses connections", "cashfree_mock"),
            ("on", "INC-1: works again", "mock"),
        ):
            go_to(tab, "Providers")
            tab.locator("#switch-mock summary").click()
            form = tab.locator("#switch-mock form")
            form.get_by_label("Reason").fill(reason)
            form.get_by_role("button", name=f"Switch mock {switch}").click()
            said(tab, f"mock is switched {switch} for everyone; heeded within a minute.")
            # Five payments in a row that begin at the closed port would open the breaker, for ten minutes.
            time.sleep(_HEEDED_SECONDS)
            until(f"new payments begin at {expected}", partial(begins_at, environment, expected))


def test_a_lost_endpoint_is_found_and_gets_what_it_missed(environment: LocalEnvironment, new_tab: NewTab) -> None:
    received = Received(refusal_rate=1.0)
    with endpoint_of(environment, received) as url:
        refused = refused_payment(environment, received)
        with operator(new_tab) as tab:
            go_to(tab, "Deliveries")
            row = tab.get_by_role("row", name=url)
            row.wait_for()
            until("the page says since when", lambda: _says(tab, "UTC", row))
            assert refused in words(tab)
            received.refusal_rate = 0.0  # the merchant has repaired it
            form = tab.locator("form[action='/deliveries/redeliver']")
            form.get_by_label("Reason").fill("INC-3: the merchant's server is back")
            form.get_by_role("button").click()
            said(tab, "are on their way again")
            until("it has what it missed", lambda: _has(received, refused))
            until("nothing waits", lambda: _nothing_waits(tab))
        assert received.forged == 0


def _says(tab: "Page", text: str, row: "Locator") -> bool:
    tab.reload()
    return text in row.inner_text()


def _has(received: Received, transaction_id: str) -> bool:
    return any(message.transaction_id == transaction_id for message in received.accepted)


def _nothing_waits(tab: "Page") -> bool:
    tab.reload()
    return "Every event is delivered." in words(tab)


def test_a_reconciliation_that_does_not_end_is_repeated(environment: LocalEnvironment, new_tab: NewTab) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"
    control(environment.simulators["stripe"], faults={"error_before": 1.0}, seed=1)
    try:
        with operator(new_tab) as tab:
            go_to(tab, "Reconciliation")
            form = tab.locator("form[action='/reconciliation/begin']")
            form.get_by_label("Provider").fill("stripe")
            form.get_by_label("Day (UTC)").fill(yesterday)
            form.get_by_label("Reason").fill("INC-4: is it stuck?")
            form.get_by_role("button").click()
            tab.get_by_role("heading", name="stripe").wait_for()
            until("the page says what is wrong", lambda: _problem(tab))
            tab.get_by_role("link", name="What to do with a run that does not end").click()
            tab.get_by_role("heading").first.wait_for()
            tab.go_back()
            control(environment.simulators["stripe"], faults={})
            again = tab.locator("form[action$='/repeat']")
            again.get_by_label("Reason").fill("INC-4: the provider answers again")
            again.get_by_role("button").click()
            said(tab, "The run is begun.")
            until("the repeated run is done", lambda: _done(tab))
            assert "None." in words(tab)
    finally:
        control(environment.simulators["stripe"], faults={})


def _problem(tab: "Page") -> bool:
    tab.reload()
    return "Problem" in words(tab)


def _done(tab: "Page") -> bool:
    tab.reload()
    return "done" in tab.locator(".card").first.inner_text()
