"""Reviews."""

from typing import Final

from ops.console.screen import Page, Screen, ScreenRequest, View


def _show(_request: ScreenRequest) -> Page:
    return Page(template="reviews.html", title="Reviews")


REVIEWS: Final = Screen(
    name="reviews",
    title="Reviews",
    path="/reviews",
    key="v",
    summary="Reviews.",
    views=(View("/reviews", _show),),
)
