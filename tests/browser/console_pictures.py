"""`make console-pictures`: the pictures of docs/console.md, made anew from a running local environment with demo data.

Each screen is examined by axe-core on the way, in both themes and at 320 px, over a week of payments.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.browser.console_places import a_proposal, open_every_detail, try_a_document
from tests.browser.operators_console import ConsoleScreens, running_console
from tests.browser.screens import PATIENT_MS
from tests.support.left_out import BROWSER_PACKAGES, CHROMIUM, ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER: Final = ROOT / "docs" / "images"
_SIZE: Final = {"width": 1200, "height": 800}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One screen, in both themes. `path` is None where `prepare` leads there from the page before it."""

    name: str
    path: str | None = None
    prepare: Callable[["Page"], None] = lambda _tab: None


def _first_row(tab: "Page") -> None:
    tab.locator("tr.row a").first.click()
    tab.wait_for_load_state()


def _below_the_alarms(tab: "Page") -> None:
    tab.get_by_role("heading", name="Objective").evaluate("one => one.closest('.grid').scrollIntoView()")


def _mismatch(tab: "Page") -> None:
    tab.locator("tr.row", has_text="Mismatch").first.locator("a").first.click()
    tab.get_by_role("heading", name="Close it").wait_for()


def _tried(tab: "Page") -> None:
    document = tab.get_by_label("Document")
    document.fill(document.input_value().replace('["mock", "cashfree_mock"]', '["cashfree_mock", "mock"]'))
    try_a_document(tab, with_fault=False)
    tab.get_by_role("heading", name="Over the last").scroll_into_view_if_needed()


PICTURES: Final = (
    Picture(name="now", path="/?window=7d", prepare=_below_the_alarms),
    Picture(name="find", path="/find"),
    Picture(name="story", path="/find?text=demo-data-refunded-001"),
    Picture(name="review", path="/reviews", prepare=_mismatch),
    Picture(name="approval"),
    Picture(name="deliveries", path="/deliveries"),
    Picture(name="dead-letters", path="/dead-letters/notices"),
    Picture(name="reconciliation", path="/reconciliation"),
    Picture(name="reconciliation-run", path="/reconciliation", prepare=_first_row),
    Picture(name="routing", path="/routing"),
    Picture(name="routing-tried", path="/routing/edit", prepare=_tried),
    Picture(name="providers", path="/providers"),
    Picture(name="merchant", path="/merchants/demo"),
)


def main() -> None:
    """Needs `make run DEMO_DATA=true` in another terminal, and what `make browser` installs."""
    sys.path.append(str(BROWSER_PACKAGES))
    from playwright.sync_api import sync_playwright

    with running_console("--write") as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, timeout=PATIENT_MS)
        _take_all(chromium, address)
        chromium.close()


def _take_all(chromium: "Browser", address: str) -> None:
    base, screens = address.partition("/enter")[0], ConsoleScreens("demo-data")
    tab = chromium.new_context(viewport=_SIZE, locale="en-GB").new_page()
    tab.set_default_timeout(PATIENT_MS)
    tab.goto(address)
    for picture in PICTURES:
        tab.goto(base + (picture.path or a_proposal()))
        picture.prepare(tab)
        place = tab.evaluate("scrollY")
        open_every_detail(tab)
        screens.examine(tab, picture.name)
        tab.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = false })")
        tab.set_viewport_size(_SIZE)
        for scheme in ("dark", "light"):
            tab.emulate_media(color_scheme=scheme)
            tab.evaluate("place => scrollTo(0, place)", place)
            tab.screenshot(path=FOLDER / f"console-{picture.name}-{scheme}.png")
        print(f"{picture.name}: no barrier, pictured")


if __name__ == "__main__":
    main()
