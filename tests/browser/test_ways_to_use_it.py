"""The same payment by keyboard alone, and with scripts off."""

from typing import TYPE_CHECKING

from tests.browser.conftest import NewTab
from tests.browser.payer import choose, fail_there, press, screen, to_provider
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

_MAX_STOPS = 30


def test_by_keyboard_alone(shop: Shop, tab: "Page") -> None:
    payment = shop.checkout()
    tab.goto(payment["nextAction"]["url"])
    screen(tab, "choose")
    _tab_to(tab, "input[name=method]")
    tab.keyboard.press("Space")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.querySelector('input[name=method]:checked') === document.activeElement")
    _tab_to(tab, "button.main")
    tab.keyboard.press("Enter")
    tab.wait_for_function("!document.querySelector('main[data-state^=choose]')")
    if "/pages/" not in tab.url:
        screen(tab, "open")
        _tab_to(tab, "a.main")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/pages/**")
    _tab_to(tab, "button[value=pay]")
    tab.keyboard.press("Enter")
    screen(tab, "paid")
    _tab_to(tab, "a.main")
    tab.keyboard.press("Enter")
    tab.wait_for_url("https://shop.example.com/**")
    shop.assert_charged_once(payment)


def _tab_to(tab: "Page", selector: str) -> None:
    """Press Tab until the element has the focus, which must be visible at each stop."""
    for _ in range(_MAX_STOPS):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement !== document.body"):
            assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if tab.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_with_scripts_off(shop: Shop, new_tab: NewTab) -> None:
    payment = shop.checkout()
    tab = new_tab(java_script_enabled=False)
    tab.goto(payment["nextAction"]["url"])
    choose(tab, "card")
    fail_there(tab)
    tab.goto(payment["nextAction"]["url"])
    to_provider(tab)
    press(tab, "Pay")
    shop.assert_charged_once(payment)
    tab.goto(payment["nextAction"]["url"])
    screen(tab, "paid")
    assert tab.locator("time").first.inner_text().endswith("UTC")
