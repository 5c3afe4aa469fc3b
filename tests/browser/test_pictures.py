"""Pictures of docs/checkout.md: `make checkout-pictures` makes them anew. Other runs leave them beside the others."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from payflowx.domain.checkout.view import Screen
from payflowx.entrypoints.checkout.documents import screen_document
from payflowx.entrypoints.checkout.screens import Shown
from tests.browser.screens import PICTURES
from tests.browser.served import served_in, shown
from tests.support.left_out import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

INTO: Final = Path(os.environ["PICTURES_INTO"]) if "PICTURES_INTO" in os.environ else PICTURES
MAX_BYTES: Final = 60_000
WINDOW: Final = {"width": 600, "height": 300}
PHONE: Final = {"width": 320, "height": 300}

SHOWN: Final = {
    "choose": (Screen.CHOOSE, WINDOW),
    "choose-phone": (Screen.CHOOSE, PHONE),
    "open": (Screen.OPEN, WINDOW),
    "blocked": (Screen.BLOCKED, WINDOW),
    "paid": (Screen.PAID, WINDOW),
    "expired": (Screen.EXPIRED, WINDOW),
}


def _tickets(screen: Screen) -> Shown:
    """A short page: each method takes what the request held."""
    made = shown(screen)
    offers = tuple(replace(offer, missing=()) for offer in made.page.view.offers)
    view = replace(made.page.view, amount=49_900, description="Two tickets for the late show", offers=offers)
    return replace(made, page=replace(made.page, view=view))


@pytest.mark.usefixtures("screens")
@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_for_the_docs_is_small(tab: "Tab", name: str) -> None:
    screen, size = SHOWN[name]
    tab.set_viewport_size(size)
    served_in(tab)(screen_document(_tickets(screen), "assets/"))
    tab.locator(f"main[data-state^={screen}]").wait_for()
    picture = ROOT / INTO / f"checkout-{name}.png"
    tab.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size < MAX_BYTES
