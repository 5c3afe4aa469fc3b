"""A payment."""

from typing import Final

from ops.console.screen import Page, Screen, ScreenRequest, View


def _show(_request: ScreenRequest) -> Page:
    return Page(template="story.html", title="A payment")


STORY: Final = Screen(
    name="story",
    title="A payment",
    path="/payments/{merchant}/{transaction_id}",
    key="p",
    summary="A payment.",
    views=(View("/payments/{merchant}/{transaction_id}", _show),),
)
