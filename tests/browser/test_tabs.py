"""Tabs, the back button and impatient payers: one choice begins one attempt, and one charge is made."""

from typing import TYPE_CHECKING

from tests.browser.conftest import NewTab
from tests.browser.payer import (
    TO_PROVIDER,
    choose,
    continues,
    fill_in,
    pay_there,
    press,
    screen,
    sees_receipt,
    to_provider,
)
from tests.browser.screens import PATIENT_MS, Screens
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_two_tabs_that_choose_at_once_open_one_page(shop: Shop, new_tab: NewTab) -> None:
    payment = shop.checkout()
    address = payment["nextAction"]["url"]
    tabs = [new_tab(), new_tab()]
    for tab, method in zip(tabs, ("card", "upi"), strict=True):
        tab.goto(address)
        fill_in(tab, method)
    for tab in tabs:
        tab.evaluate("setTimeout(() => document.querySelector('form button.main').click())")
    pages = {to_provider(tab) for tab in tabs}
    assert len(pages) == 1
    assert len(shop.get(payment)["attempts"]) == 1
    for tab in tabs:
        tab.evaluate("setTimeout(() => document.querySelector('button[value=pay]').click())")
    for tab in tabs:
        sees_receipt(tab)
    shop.assert_charged_once(payment)


def test_a_choice_in_a_tab_that_is_behind_says_so(shop: Shop, new_tab: NewTab, screens: Screens) -> None:
    payment = shop.checkout()
    first, behind = new_tab(), new_tab()
    for tab in (first, behind):
        tab.goto(payment["nextAction"]["url"])
        fill_in(tab, "card")
    choose(first)
    continues(behind)
    behind.get_by_role("alert").wait_for()
    assert "chosen already" in behind.get_by_role("alert").inner_text()
    screens.examine(behind, "chosen-already")
    assert len(shop.get(payment)["attempts"]) == 1


def test_a_double_click_begins_one_attempt(shop: Shop, tab: "Page") -> None:
    payment = shop.checkout()
    tab.goto(payment["nextAction"]["url"])
    fill_in(tab, "card")
    tab.locator("form button.main").dblclick(no_wait_after=True)
    to_provider(tab)
    pay = tab.get_by_role("button", name="Pay", exact=True)
    pay.dblclick(no_wait_after=True)
    sees_receipt(tab)
    paid = shop.assert_charged_once(payment)
    assert len(paid["attempts"]) == 1


def go_back(tab: "Page") -> None:
    """The back button, of a page that is there: Chromium has none to go back from while it exchanges the pages."""
    tab.wait_for_load_state("networkidle")
    tab.go_back()


def test_the_back_button_leads_to_a_page_that_knows_of_the_choice(shop: Shop, tab: "Page") -> None:
    payment = shop.checkout()
    tab.goto(payment["nextAction"]["url"])
    page = choose(tab)
    go_back(tab)
    screen(tab, "open")
    assert to_provider(tab) == page
    pay_there(tab, payment["nextAction"]["url"])
    sees_receipt(tab)
    go_back(tab)
    tab.goto(payment["nextAction"]["url"])
    sees_receipt(tab)
    shop.assert_charged_once(payment)


def test_a_payer_who_left_comes_back_and_pays(shop: Shop, new_tab: NewTab) -> None:
    payment = shop.checkout()
    address = payment["nextAction"]["url"]
    left = new_tab()
    left.goto(address)
    page = choose(left)
    press(left, "Leave")
    screen(left, "open")
    left.close()
    later = new_tab()
    later.goto(address)
    screen(later, "open")
    later.get_by_role("link", name=TO_PROVIDER).click()
    later.wait_for_url(page)
    pay_there(later, address)
    sees_receipt(later)
    shop.assert_charged_once(payment)


def test_a_page_that_waits_shows_by_itself_what_another_tab_paid(shop: Shop, new_tab: NewTab, screens: Screens) -> None:
    payment = shop.checkout()
    address = payment["nextAction"]["url"]
    paying, waiting = new_tab(), new_tab()
    paying.goto(address)
    choose(paying)
    waiting.goto(address)
    screen(waiting, "open")
    press(paying, "Bank answers in 10 seconds")
    screen(paying, "processing")
    screens.examine(paying, "processing")
    waiting.bring_to_front()
    sees_receipt(waiting)
    assert waiting.get_by_role("status").text_content().startswith("You have paid")
    assert waiting.get_by_role("status").bounding_box()["height"] <= 1, "the heading shows twice"
    assert waiting.title().startswith("You have paid")
    shop.assert_charged_once(payment)


def test_a_preview_of_the_link_changes_nothing(shop: Shop, new_tab: NewTab) -> None:
    payment = shop.checkout()
    address = payment["nextAction"]["url"]
    before = shop.events(payment)
    bot = new_tab(user_agent="ExampleBot/1.0 (link preview)")
    assert bot.request.head(address, timeout=PATIENT_MS).status == 200
    for _ in range(2):
        bot.goto(address)
        screen(bot, "choose")
        bot.wait_for_load_state("networkidle")
    assert shop.events(payment) == before
    assert shop.get(payment)["attempts"] == []
