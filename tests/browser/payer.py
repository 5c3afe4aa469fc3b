"""A payer with a browser: chooses on our page, and pays on the provider's."""

from typing import TYPE_CHECKING, Final

from tests.browser.screens import PATIENT_MS

if TYPE_CHECKING:
    from playwright.sync_api import Page

PROVIDER_PAGES: Final = "**/pages/**"
TO_PROVIDER: Final = "Go to the payment page"
OTHER_WAY: Final = "Choose another way to pay"
_ASKED: Final = {"name": "Jane Doe", "email": "payer@example.com", "phone": "+919876543210"}
_POLL_MS: Final = 250


def screen(tab: "Page", name: str) -> None:
    """Wait until our page shows this screen. Its script asks again by itself."""
    tab.locator(f"main[data-state^={name}]").wait_for()


def fill_in(tab: "Page", method: str) -> None:
    """Choose the method and answer what the page asks, without sending it."""
    screen(tab, "choose")
    choice = tab.locator(f"#method-{method}")
    if choice.count():
        choice.check()
    for name, value in _ASKED.items():
        if tab.locator(f"#{name}").count():
            tab.locator(f"#{name}").fill(value)


def press(tab: "Page", text: str) -> None:
    tab.get_by_role("button", name=text, exact=True).click()


def continues(tab: "Page") -> None:
    """Send the form. With one method, its name is a part of the button."""
    tab.locator("form button.main").click()


def choose(tab: "Page", method: str = "card") -> str:
    """Choose on our page. Return the address of the provider's page, which the tab shows then."""
    fill_in(tab, method)
    continues(tab)
    return to_provider(tab)


def to_provider(tab: "Page") -> str:
    """Go on to the provider's page: at once by a redirect, or by the link or button of our page."""
    waited_ms = 0
    onward = tab.locator("main[data-state^=open]").get_by_text(TO_PROVIDER, exact=True)
    again = tab.locator("main[data-state^=opening]").get_by_role("button", name="Check again")
    while "/pages/" not in tab.url:
        if onward.count():
            onward.click()
            tab.wait_for_url(PROVIDER_PAGES)
        elif waited_ms % 4000 == 3000 and again.count():
            again.click()  # without script the page does not ask by itself
        assert waited_ms < PATIENT_MS, tab.locator("main").inner_text()
        tab.wait_for_timeout(_POLL_MS)
        waited_ms += _POLL_MS
    return tab.url


def fail_there(tab: "Page") -> None:
    """A try fails on the provider's page, which says so and takes another."""
    press(tab, "Fail")
    tab.get_by_role("alert").wait_for()


def pay_there(tab: "Page", address: str) -> None:
    """Pay on the provider's page, and come back: some providers send the payer, at others the payer opens our link."""
    press(tab, "Pay")
    tab.wait_for_function("!document.querySelector('button[value=pay]')")
    if "/pages/" in tab.url:
        tab.get_by_text("The payment was successful.").wait_for()
        tab.goto(address)


def sees_receipt(tab: "Page") -> None:
    screen(tab, "paid")
    assert "You have paid 499.00" in tab.locator("h1").inner_text()
