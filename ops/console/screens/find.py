"""Find."""

from typing import Final

from ops.console.screen import Page, Screen, ScreenRequest, View


def _show(_request: ScreenRequest) -> Page:
    return Page(template="find.html", title="Find")


FIND: Final = Screen(
    name="find",
    title="Find",
    path="/find",
    key="f",
    summary="Find.",
    views=(View("/find", _show),),
)
