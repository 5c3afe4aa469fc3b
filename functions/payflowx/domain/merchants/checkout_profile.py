"""A merchant's part of the payers' page: its name, its support, its colour, and whether it takes new checkouts."""

import re
from dataclasses import dataclass, field
from typing import Final

INK: Final = "#1b1b1b"
PAPER: Final = "#ffffff"
MIN_CONTRAST: Final = 4.5
"""Of text, by WCAG 2.2, success criterion 1.4.3, at level AA."""
DEFAULT_ACCENT: Final = "#1f5fa8"

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_CHANNEL_WEIGHTS: Final = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutProfile:
    """An operator's settings of a merchant's checkouts."""

    shown_name: str | None = None
    """The name that payers know; the merchant's own, if None."""
    support: str | None = field(default=None, repr=False)
    """An e-mail address, or an https address, where payers find help."""
    accent: str | None = None
    """The colour of buttons, as `#rrggbb` in lower case."""
    new_checkouts: bool = True
    """Whether new ones are accepted. Payers of existing ones can always pay."""
    max_refused_starts: int | None = None
    """After so many refused starts within an hour, new checkouts are refused until the hour is over; None: never."""


NO_PROFILE: Final = CheckoutProfile()
"""Of a merchant for whom nothing was set."""


def is_colour(text: str) -> bool:
    """Return whether the text is a colour as `#rrggbb` in lower case."""
    return _COLOUR.fullmatch(text) is not None


def text_colour_on(background: str) -> str | None:
    """Return the colour of readable text on this colour, paper before ink; None if neither has enough contrast."""
    return next((text for text in (PAPER, INK) if contrast(text, background) >= MIN_CONTRAST), None)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21, as WCAG defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return sum(weight * _linear(channel) for weight, channel in zip(_CHANNEL_WEIGHTS, channels, strict=True))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
