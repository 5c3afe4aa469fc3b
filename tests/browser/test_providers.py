"""Each provider: a try fails on its page, another one inside the same object pays."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.payer import choose, fail_there, pay_there, screen, sees_receipt
from tests.browser.screens import RETURN_URL, Screens
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.parametrize("provider", ["mock", "stripe", "razorpay", "cashfree", "payu"])
def test_a_failed_try_and_a_paid_one_inside_the_same_object_make_one_charge(
    shop: Shop, tab: "Page", screens: Screens, provider: str
) -> None:
    payment = shop.checkout(provider)
    address = payment["nextAction"]["url"]
    tab.goto(address)
    screen(tab, "choose")
    screens.examine(tab, f"choose-{provider}")
    page = choose(tab)
    screens.examine(tab, f"{provider}-page")
    fail_there(tab)
    screens.examine(tab, f"{provider}-page-after-a-failed-try")
    assert tab.url == page
    pay_there(tab, address)
    sees_receipt(tab)
    screens.examine(tab, "paid")
    paid = shop.assert_charged_once(payment)
    assert paid["provider"] == provider
    assert len(paid["attempts"]) == 1
    tab.get_by_role("link", name="Back to").click()
    tab.wait_for_url(f"{RETURN_URL}?transactionId={payment['transactionId']}")
