"""A payer who wants another way to pay: only where a closing is proof, or else from the time that the page says."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewTab
from tests.browser.payer import OTHER_WAY, choose, pay_there, press, screen, sees_receipt
from tests.browser.screens import Screens
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.parametrize(("provider", "other"), [("mock", "upi"), ("stripe", "card"), ("cashfree", "netbanking")])
def test_after_a_proven_closing_another_way_is_paid_and_the_closed_page_takes_nothing(
    shop: Shop, new_tab: NewTab, screens: Screens, provider: str, other: str
) -> None:
    payment = shop.checkout(provider)
    address = payment["nextAction"]["url"]
    tab, left_open = new_tab(), new_tab()
    tab.goto(address)
    closed_page = choose(tab, "card")
    left_open.goto(closed_page)
    tab.goto(address)
    screen(tab, "open")
    screens.examine(tab, "open")
    press(tab, OTHER_WAY)
    screen(tab, "choose")
    page = choose(tab, other)
    assert page != closed_page
    press(left_open, "Pay")
    left_open.wait_for_function("!document.querySelector('button[value=pay]')")
    tab.bring_to_front()
    pay_there(tab, address)
    sees_receipt(tab)
    paid = shop.assert_charged_once(payment)
    assert [attempt["provider"] for attempt in paid["attempts"]] == [provider, provider]
    left_open.goto(closed_page)
    assert left_open.get_by_role("button", name="Pay").count() == 0
    screens.examine(left_open, "provider-page-closed")


@pytest.mark.parametrize("provider", ["razorpay", "payu"])
def test_where_a_closing_is_no_proof_the_page_says_until_when(
    shop: Shop, tab: "Page", screens: Screens, provider: str
) -> None:
    payment = shop.checkout(provider)
    address = payment["nextAction"]["url"]
    tab.goto(address)
    screen(tab, "choose")
    assert "you cannot choose another way until it has expired" in tab.locator("#method-upi-hint").inner_text()
    choose(tab, "upi")
    tab.goto(address)
    screen(tab, "open")
    screens.examine(tab, f"open-{provider}")
    assert tab.get_by_role("button", name=OTHER_WAY).count() == 0
    until = tab.locator("dt", has_text="Open until").locator("xpath=following-sibling::dd[1]/time")
    assert until.get_attribute("datetime")[:16] == payment["nextAction"]["expiresAt"][:16]
    assert until.inner_text()
    refused = tab.request.post(f"{address}/close", form={})
    assert "cannot be closed early" in refused.text()
    assert shop.get(payment)["status"] == "REQUIRES_ACTION"
