"""An operator's work in the console, in a real browser over the local environment."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from local.environment import LocalEnvironment
from local.seed import MERCHANT_ID
from ops.console.registry import SCREENS
from ops.console.screen import Screen
from tests.browser.conftest import NewTab
from tests.browser.console_incidents.operator import pay, payment_in_review, settled
from tests.browser.operators_console import ConsoleScreens, running_console

if TYPE_CHECKING:
    from playwright.sync_api import Page

_HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def pictures() -> ConsoleScreens:
    return ConsoleScreens("reading")


@pytest.fixture(scope="module")
def reading(environment: LocalEnvironment) -> Iterator[str]:
    with running_console() as address:
        yield address


def opened(new_tab: NewTab, address: str) -> "Page":
    """A tab on the console, in which a script that is not ours, or an error of ours, fails the test."""
    tab = new_tab()
    tab.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    tab.on("console", lambda said: pytest.fail(f"console: {said.text}") if "Content Security" in said.text else None)
    tab.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    tab.goto(address)
    return tab


def payment(environment: LocalEnvironment, token: str, **more: Any) -> dict[str, Any]:
    """A payment by a token of the mock, when it is no longer pending."""
    return settled(environment, pay(environment, token, **more))


def test_every_screen_has_no_barrier_and_fits_a_narrow_window(
    environment: LocalEnvironment, new_tab: NewTab, pictures: ConsoleScreens
) -> None:
    paid = payment(environment, "tok_success", metadata={"note": _HOSTILE}, description=_HOSTILE)
    failed_over = payment(environment, "tok_soft_decline@mock")
    reviewed = payment_in_review(environment)
    assert [paid["status"], failed_over["status"]] == ["SUCCESS", "SUCCESS"]
    with running_console("--write") as address:
        tab = opened(new_tab, address)
        for name, path in {
            "now": "/?window=1h",
            "find": "/find",
            "find-nothing": "/find?text=nothing-has-this-name",
            "find-wrong": "/find?least=x",
            "story": f"/payments/{MERCHANT_ID}/{failed_over['transactionId']}",
            "reviews": "/reviews",
            "review": f"/reviews/{MERCHANT_ID}/{reviewed['transactionId']}",
            "help": "/help",
            "missing": "/nowhere",
            "fault": f"/payments/{MERCHANT_ID}/pay_aaaaaaaaaaaaaaaa",
            "runbook": "/runbooks/mismatch",
        }.items():
            tab.goto(address.partition("/enter")[0] + path)
            pictures.examine(tab, name)
        tab.goto(address.partition("/enter")[0] + f"/payments/{MERCHANT_ID}/{paid['transactionId']}")
        assert _HOSTILE not in tab.locator("main").inner_text()
        tab.locator("summary", has_text="Hidden.").click()
        tab.get_by_label("Reason").first.fill("TICKET-1")
        tab.get_by_role("button", name="Show the personal data").click()
        tab.get_by_text("Your access to the personal data is recorded.").wait_for()
        assert tab.locator("main").inner_text().count(_HOSTILE) == 2
        pictures.examine(tab, "story-personal-data")
    closed = new_tab()
    with running_console() as second:
        closed.goto(second.replace("token=", "token=x"))
        pictures.examine(closed, "closed")


@pytest.mark.parametrize(
    "screen",
    [screen for screen in SCREENS if screen.name not in {"now", "find", "reviews"}],
    ids=lambda screen: screen.name,
)
def test_every_entry_of_the_menu_has_no_barrier(
    environment: LocalEnvironment, new_tab: NewTab, pictures: ConsoleScreens, screen: Screen
) -> None:
    with running_console("--write") as address:
        tab = opened(new_tab, address)
        tab.goto(address.partition("/enter")[0] + screen.path)
        pictures.examine(tab, screen.name)


def test_a_mismatch_is_found_understood_and_closed_with_only_what_the_pages_show(
    environment: LocalEnvironment, new_tab: NewTab
) -> None:
    reviewed = payment_in_review(environment)
    with running_console("--write") as address:
        tab = opened(new_tab, address)
        tab.get_by_role("heading", name="Reviews waiting").wait_for()
        tab.locator("section", has_text="Reviews waiting").locator("a.big").click()
        tab.get_by_role("link", name=reviewed["transactionId"]).click()
        assert "What would be true after each verdict" in tab.locator("main").inner_text()
        tab.get_by_role("link", name="What to do").click()
        tab.get_by_role("heading", name="What to do").wait_for()
        tab.go_back()
        other = tab.context.new_page()
        other.goto(tab.url)
        for page in (tab, other):
            page.get_by_label("The money did not move").check()
            page.get_by_label("Evidence").fill("provider case 7")
            page.get_by_label("Reason").fill("TICKET-7")
        tab.get_by_role("button", name="Close the review").click()
        tab.get_by_text(f"{reviewed['transactionId']} is FAILED.").wait_for()
        tab.reload()
        other.get_by_role("button", name="Close the review").click()
        other.get_by_role("alert").first.wait_for()
        story = tab.locator("main").inner_text()
        assert "provider case 7" in story or "TICKET-7" in story
    assert environment.api().get(f"/payments/{reviewed['transactionId']}")["status"] == "FAILED"


def test_keys_lead_to_a_payment_and_can_be_turned_off(
    reading: str, environment: LocalEnvironment, new_tab: NewTab
) -> None:
    paid = payment(environment, "tok_success")
    tab = opened(new_tab, reading)
    tab.keyboard.press("/")
    tab.keyboard.type(paid["orderId"])
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name=paid["transactionId"]).wait_for()
    tab.wait_for_load_state()
    tab.locator("main").click()
    tab.keyboard.press("g")
    tab.keyboard.press("f")
    tab.get_by_role("heading", name="Find", exact=True).wait_for()
    tab.wait_for_load_state()
    tab.keyboard.press("j")
    first = tab.evaluate("document.activeElement.textContent")
    tab.keyboard.press("j")
    tab.keyboard.press("k")
    assert tab.evaluate("document.activeElement.textContent") == first
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name=first).wait_for()
    tab.wait_for_load_state()
    tab.keyboard.press("g")
    tab.keyboard.press("h")
    tab.get_by_role("button", name="Turn them off").click()
    tab.get_by_role("button", name="Turn them on").wait_for()
    tab.wait_for_load_state()
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.id") != "search"


def test_the_console_reads_only_and_its_address_works_once(
    reading: str, new_tab: NewTab, environment: LocalEnvironment
) -> None:
    waiting = payment_in_review(environment)
    late = new_tab()
    late.goto(reading)
    assert "closed here" in late.locator("h1").inner_text()
    with running_console() as address:
        tab = opened(new_tab, address)
        tab.goto(address.partition("/enter")[0] + f"/reviews/{MERCHANT_ID}/{waiting['transactionId']}")
        assert tab.get_by_role("button", name="Close the review").count() == 0
        assert "--write" in tab.locator("main").inner_text()
        assert tab.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
