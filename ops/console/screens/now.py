"""Now."""

from typing import Final

from ops.console.screen import Page, Screen, ScreenRequest, View


def _show(_request: ScreenRequest) -> Page:
    return Page(template="now.html", title="Now")


NOW: Final = Screen(
    name="now",
    title="Now",
    path="/",
    key="n",
    summary="Now.",
    views=(View("/", _show),),
)
