"""HTML from Python: every text and attribute is escaped, because there is no other way to write one.

A template engine would be a further library to load in each cold start, and escapes by the name of a file. Here a
text that a merchant or a payer wrote is a `str`, and only `Html` is markup.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from payflowx.domain.shared.urls import is_loopback_url

_VOID: Final = frozenset({"input", "link", "meta"})
_LINK_SCHEMES: Final = ("https://", "mailto:", "upi://")
_ADDRESS_ATTRIBUTES: Final = frozenset({"href", "action"})


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that is safe to send."""

    markup: str


Attribute = str | bool | None
Child = Html | str | None | Iterable["Html | str | None"]


def element(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Return an element. A name such as `class_` or `aria_live` is the attribute `class` or `aria-live`.

    An attribute that is None or False is left out; one that is True has no value. Raises ValueError for an address
    with a scheme that is not listed.
    """
    opening = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{_joined(children)}</{name}>")


def _joined(children: Iterable[Child]) -> str:
    parts = []
    for child in children:
        match child:
            case None:
                continue
            case Html():
                parts.append(child.markup)
            case str():
                parts.append(escape(child))
            case _:
                parts.append(_joined(child))
    return "".join(parts)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    if name in _ADDRESS_ATTRIBUTES and not _is_safe_address(value):
        raise ValueError("an address has a scheme that a page must not link to")
    return f' {name}="{escape(value)}"'


def _is_safe_address(address: str) -> bool:
    """Return whether it is on this page or relative to it, has a listed scheme, or names this machine.

    What is accepted as a payer's way back must be shown: in the local environment that is also `http://localhost/`.
    """
    if address.startswith(_LINK_SCHEMES) or is_loopback_url(address):
        return True
    return ":" not in address.partition("/")[0].partition("?")[0] and not address.startswith(("//", "\\"))
