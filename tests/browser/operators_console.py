"""An operator at the console: starts it as at a terminal, opens its address, and keeps pictures of each screen."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.browser.screens import without_barriers
from tests.support.left_out import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES: Final = ROOT / ".local" / "console-screens"
_NARROW: Final = {"width": 320, "height": 640}
_SCROLLS: Final = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
"""A wide table scrolls in its own region; the page does not."""
_WIDE: Final = {"width": 1280, "height": 900}


@contextmanager
def running_console(*options: str) -> Iterator[str]:
    """Its address, which works once. The console ends with the block."""
    arguments = [sys.executable, "-m", "ops", "console", *options]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@dataclass(slots=True)
class ConsoleScreens:
    """Each screen is examined once, in both themes and at 320 px. The pictures go to the folder of this name."""

    folder: str
    seen: set[str] = field(default_factory=set)

    @property
    def pictures(self) -> Path:
        return PICTURES / self.folder

    def __post_init__(self) -> None:
        shutil.rmtree(self.pictures, ignore_errors=True)
        self.pictures.mkdir(parents=True)

    def examine(self, tab: "Page", name: str) -> None:
        """Fail for a barrier that axe-core finds, and for a page that is wider than the window."""
        if name in self.seen:
            return
        self.seen.add(name)
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            tab.set_viewport_size(_WIDE)
            without_barriers(tab)
            tab.screenshot(path=self.pictures / f"{name}-{scheme}.png", full_page=True)
        tab.set_viewport_size(_NARROW)
        for scheme in ("dark", "light"):
            tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            without_barriers(tab)
        assert tab.evaluate(_SCROLLS) is False, name
        tab.screenshot(path=self.pictures / f"{name}-320.png", full_page=True)
        tab.set_viewport_size(_WIDE)
