"""Links that lead to no payment any more, and what the page asks of a payer."""

from typing import TYPE_CHECKING

from tests.browser.payer import choose, continues, fill_in, screen
from tests.browser.screens import Screens
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_an_expired_link_says_so_and_offers_nothing(shop: Shop, tab: "Page", screens: Screens) -> None:
    payment = shop.checkout()
    tab.goto(payment["nextAction"]["url"])
    fill_in(tab, "card")
    shop.let_expire(payment)
    continues(tab)
    screen(tab, "expired")
    screens.examine(tab, "expired")
    assert tab.locator("form").count() == 0
    assert shop.get(payment)["attempts"] == []


def test_a_payment_that_the_shop_cancelled_says_so(shop: Shop, tab: "Page", screens: Screens) -> None:
    payment = shop.checkout()
    shop.cancel(payment)
    assert shop.wait(payment)["status"] == "CANCELLED"
    tab.goto(payment["nextAction"]["url"])
    screen(tab, "cancelled")
    screens.examine(tab, "cancelled")


def test_an_address_that_was_changed_gets_one_page_without_details(shop: Shop, tab: "Page", screens: Screens) -> None:
    address = shop.checkout()["nextAction"]["url"]
    answer = tab.goto(address[:-2] + ("AA" if address[-2:] != "AA" else "BB"))
    assert answer.status == 404
    screen(tab, "not_found")
    screens.examine(tab, "not-found")
    assert "Demo merchant" not in tab.content()


def test_missing_details_are_listed_and_each_leads_to_its_field(shop: Shop, tab: "Page", screens: Screens) -> None:
    payment = shop.checkout("payu")
    tab.goto(payment["nextAction"]["url"])
    screen(tab, "choose")
    tab.locator("#method-upi").check()
    continues(tab)
    tab.get_by_role("alert").wait_for()
    screens.examine(tab, "missing-details")
    assert tab.title().startswith("Error: ")
    tab.get_by_role("alert").get_by_role("link", name="Enter an e-mail address").click()
    assert tab.evaluate("document.activeElement.id") == "email"
    assert shop.get(payment)["attempts"] == []
    choose(tab, "upi")


def test_the_fourth_choice_within_a_minute_has_to_wait(shop: Shop, tab: "Page", screens: Screens) -> None:
    payment = shop.checkout("stripe")
    address = payment["nextAction"]["url"]
    tab.goto(address)
    for _ in range(3):
        choose(tab)
        tab.goto(address)
        screen(tab, "open")
        tab.get_by_role("button", name="Choose another way to pay").click()
        screen(tab, "choose")
    continues(tab)
    tab.locator("main[data-state=too_many]").wait_for()
    screens.examine(tab, "too-many")
    tab.get_by_role("link", name="Back to the payment").click()
    screen(tab, "choose")
    assert len(shop.get(payment)["attempts"]) == 3
