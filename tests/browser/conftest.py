"""One environment and one Chromium for the session; each test gets tabs without cookies or history."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from local.environment import LocalEnvironment, running_environment
from local.processes import free_port
from tests.browser.screens import PATIENT_MS, RETURN_URL, Screens
from tests.browser.shop import Shop
from tests.support.left_out import BROWSER_PACKAGES, CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_FOLDER: Final = Path(__file__).parent

NewTab = Callable[..., "Page"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder needs the browser. The hook sees the items of other folders, too."""
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.needs("browser"))


@pytest.fixture(scope="session")
def environment() -> Iterator[LocalEnvironment]:
    """With rights enforced: the pages' function has its own role's policies and nothing more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTH", "true")
        with running_environment(free_port()) as running:
            yield running


@pytest.fixture(scope="session")
def shop(environment: LocalEnvironment) -> Shop:
    return Shop(environment)


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """The system's browser: Playwright brings the driver only."""
    sys.path.append(str(BROWSER_PACKAGES))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, timeout=PATIENT_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screens() -> Screens:
    return Screens()


@pytest.fixture
def new_tab(chromium: "Browser") -> Iterator[NewTab]:
    """Opens a tab of a payer who was never here. `java_script_enabled=False` turns scripts off."""
    contexts = []

    def opened(**settings: Any) -> "Page":
        context = chromium.new_context(
            viewport={"width": 1024, "height": 768}, locale="en-GB", timezone_id="Asia/Kolkata", **settings
        )
        contexts.append(context)
        context.set_default_timeout(PATIENT_MS)
        context.route(f"{RETURN_URL}*", lambda route: route.fulfill(body="<!doctype html><title>Shop</title>Thanks"))
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def tab(new_tab: NewTab) -> "Page":
    return new_tab()
