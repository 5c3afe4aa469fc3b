"""The texts of a language, as a type: each table has all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from payflowx.application.checkout.page import Obstacle
from payflowx.domain.checkout.view import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenTexts:
    """`heading` and `sentence` of a screen. Both may name `{amount}`, `{merchant}`, `{method}` and `{until}`."""

    heading: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """All sentences in one language. `language` is its BCP 47 tag."""

    language: str
    direction: str
    screens: Mapping[Screen, ScreenTexts]
    obstacles: Mapping[Obstacle, str]
    methods: Mapping[str, str]
    """By the method's name."""
    labels: Mapping[str, str]
    """Of fields, buttons and lists."""
    errors: Mapping[str, str]
    """At fields, by the field's name."""
    pages: Mapping[str, ScreenTexts]
    """Pages without a checkout, by name."""
