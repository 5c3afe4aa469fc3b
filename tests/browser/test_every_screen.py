"""Each screen of the page by itself, also those that a fast provider shows for a moment: no barriers, pictures kept."""

from typing import TYPE_CHECKING

import pytest

from payflowx.application.checkout.page import Obstacle
from payflowx.domain.checkout.view import Screen
from payflowx.entrypoints.checkout.documents import plain_document, screen_document
from payflowx.entrypoints.checkout.screens import ENDED
from payflowx.entrypoints.checkout.texts.en import ENGLISH
from tests.browser.screens import Screens
from tests.browser.served import Show, served_in, shown

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab


@pytest.fixture
def show(tab: "Tab") -> Show:
    return served_in(tab)


@pytest.mark.parametrize("screen", Screen)
def test_has_no_barriers(show: Show, tab: "Tab", screens: Screens, screen: Screen) -> None:
    show(screen_document(shown(screen), "assets/"))
    assert tab.locator(f"main[data-state^={screen}]").count() == 1
    assert tab.locator("h1").inner_text().strip()
    screens.examine(tab, f"state-{screen}")
    offered = tab.get_by_role("button").all_inner_texts()
    assert (screen in ENDED) <= (offered == []), "nothing can be sent from a checkout that ended"


@pytest.mark.parametrize("accent", ["#0b5394", "#ffd400", "#7a1020"])
def test_keeps_its_contrast_in_every_colour(show: Show, tab: "Tab", screens: Screens, accent: str) -> None:
    show(screen_document(shown(Screen.CHOOSE, accent=accent), "assets/"))
    colour = tab.locator("button.main").evaluate("button => getComputedStyle(button).backgroundColor")
    assert colour == f"rgb({', '.join(str(int(accent[at : at + 2], 16)) for at in (1, 3, 5))})"
    screens.examine(tab, f"accent-{accent[1:]}")


@pytest.mark.parametrize("obstacle", Obstacle)
def test_says_why_nothing_changed(show: Show, tab: "Tab", screens: Screens, obstacle: Obstacle) -> None:
    show(screen_document(shown(Screen.CHOOSE, obstacle=obstacle), "assets/"))
    assert tab.get_by_role("alert").inner_text() == ENGLISH.obstacles[obstacle]
    screens.examine(tab, f"remark-{obstacle.replace('_', '-')}")


@pytest.mark.parametrize("name", ENGLISH.pages)
def test_pages_of_one_sentence(show: Show, tab: "Tab", screens: Screens, name: str) -> None:
    show(plain_document(ENGLISH, name, "assets/", back="token"))
    assert tab.locator("h1").inner_text() == ENGLISH.pages[name].heading
    screens.examine(tab, f"page-{name.replace('_', '-')}")
