"""Examines a screen: no barrier that axe-core finds, nothing cut off at 320 px, and pictures for a person to see."""

import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.support.left_out import AXE, ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENT_MS: Final = 60_000
"""Far more than anything takes: a busy machine must not break a test."""
RETURN_URL: Final = "https://shop.example.com/thanks"
PICTURES: Final = ROOT / ".local" / "browser-screens"

_TRIES: Final = 3
_LEFT: Final = re.compile(r"Execution context was destroyed|of null \(reading 'documentElement'\)|navigat")
_NARROW: Final = {"width": 320, "height": 640}
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AXE_RUN: Final = "rules => axe.run(document, {runOnly: rules})"
_OVERFLOW: Final = """() => [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(one => one.outerHTML.slice(0, 120))"""


@dataclass(slots=True)
class Screens:
    """Each screen is examined once, under its name: it looks alike in the other tests."""

    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        shutil.rmtree(PICTURES, ignore_errors=True)
        PICTURES.mkdir(parents=True)

    def examine(self, tab: "Page", name: str) -> None:
        """Fail for a violation. The pictures are `<name>-320.png` and `<name>-print.png`."""
        if name in self.seen:
            return
        assert re.fullmatch(r"[a-z0-9-]+", name)
        self.seen.add(name)
        wide = tab.viewport_size
        without_barriers(tab)
        tab.set_viewport_size(_NARROW)
        without_barriers(tab)
        overflowing = tab.evaluate(_OVERFLOW)
        tab.screenshot(path=PICTURES / f"{name}-320.png", full_page=True)
        tab.set_viewport_size(wide)
        tab.emulate_media(media="print")
        tab.screenshot(path=PICTURES / f"{name}-print.png", full_page=True)
        tab.emulate_media(media="screen")
        assert overflowing == [], name


def without_barriers(tab: "Page") -> None:
    """Fail for a violation that axe-core finds."""
    found = _examined(tab)
    assert found["passes"], "axe-core ran no rule"
    violations = {one["id"]: [node["html"] for node in one["nodes"]] for one in found["violations"]}
    assert violations == {}, f"{tab.url}: {violations}"


def _examined(tab: "Page") -> Any:
    """Put axe-core in and run it. The page's own policy would refuse the script; the driver evaluates it.

    A page that waits may load itself anew meanwhile: then the document under examination is gone, and the new one
    is examined.
    """
    from playwright.sync_api import Error

    for tries_left in reversed(range(_TRIES)):
        try:
            if not tab.evaluate("typeof axe === 'object'"):
                tab.evaluate(AXE.read_text())
            return tab.evaluate(_AXE_RUN, _RULES)
        except Error as error:
            if not tries_left or not _LEFT.search(str(error)):
                raise
            tab.wait_for_load_state("load")
    raise AssertionError
