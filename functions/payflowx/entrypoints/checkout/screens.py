"""The screens of a checkout as HTML. Each is complete without script, styles and colours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from payflowx.application.checkout.page import Obstacle, Page
from payflowx.domain.checkout.offers import Offer
from payflowx.domain.checkout.view import CheckoutView, Door, Screen
from payflowx.domain.payments.outcome import NextAction
from payflowx.entrypoints.checkout.amounts import machine_time, shown_amount, shown_time
from payflowx.entrypoints.checkout.contacts import Typed, asked_for, needs
from payflowx.entrypoints.checkout.html import Html, element
from payflowx.entrypoints.checkout.links import shop_address
from payflowx.entrypoints.checkout.texts.table import Texts

_WAITING: Final = frozenset({Screen.OPENING, Screen.OPEN, Screen.CLOSING, Screen.PROCESSING})
"""The page's script asks again for these."""
_CHECKED: Final = _WAITING | {Screen.BLOCKED}
"""These have a button that shows the page again."""
ENDED: Final = frozenset({Screen.PAID, Screen.FAILED, Screen.EXPIRED, Screen.CANCELLED, Screen.GONE})
_INPUT_TYPES: Final[Mapping[str, str]] = {"name": "text", "email": "email", "phone": "tel"}
_AUTOCOMPLETE: Final[Mapping[str, str]] = {"name": "name", "email": "email", "phone": "tel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Addresses relative to the one that the browser shows: a custom domain or a path before ours needs no setting."""

    page: str
    attempts: str
    close: str
    here: str
    """The same page without a query, for another look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A screen with all that it depends on. `may_act` is False at the address that only shows."""

    page: Page
    texts: Texts
    addresses: Addresses
    may_act: bool
    obstacle: Obstacle | None = None
    typed: Typed = field(default_factory=Typed)

    @property
    def view(self) -> CheckoutView:
        return self.page.view

    @property
    def merchant(self) -> str:
        """The name that payers know."""
        return self.page.merchant.checkout.shown_name or self.page.merchant.name

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The ways to pay that the payer can choose here."""
        return self.view.offers if self.may_act else ()

    def label(self, name: str) -> str:
        return self.filled(self.texts.labels[name])

    def filled(self, sentence: str) -> str:
        """Return the sentence with the names of this payment."""
        amount = shown_amount(self.view.amount, self.view.currency)
        return sentence.format(amount=amount, merchant=self.merchant)


def title_of(shown: Shown) -> str:
    """Return the text of the page's title: its heading first, and that there is an error before it."""
    heading = shown.filled(shown.texts.screens[shown.view.screen].heading)
    prefix = shown.label("error_prefix") if shown.typed.errors else ""
    return f"{prefix}{heading} - {shown.merchant}"


def main_of(shown: Shown) -> Html:
    """Return the element `main`. The page's script replaces it when `data-state` changes."""
    view, texts = shown.view, shown.texts.screens[shown.view.screen]
    return element(
        "main",
        _problems(shown),
        _remark(shown),
        element("h1", shown.filled(texts.heading)),
        element("p", shown.filled(texts.sentence)),
        _failed_tries(shown),
        _summary(shown) if view.screen is not Screen.GONE else None,
        _parts(shown),
        _support(shown),
        id="main",
        data_state=_state(view),
        data_waits="true" if view.screen in _WAITING else None,
    )


def _state(view: CheckoutView) -> str:
    """Return a text that differs whenever the payer would see something else."""
    door = view.door
    opened = f"-{door.number}-{door.action is not None}-{door.is_closable}" if door else ""
    return f"{view.screen}{opened}-{view.failed_tries}"


def _problems(shown: Shown) -> Html | None:
    """Return the list of errors, each leading to its field."""
    errors = shown.typed.errors
    if not errors:
        return None
    items = (
        element("li", element("a", shown.texts.errors[error], href=f"#{_field_id(name, shown)}"))
        for name, error in errors.items()
    )
    return element(
        "section",
        element("h2", shown.label("errors"), id="problems"),
        element("ul", items),
        class_="problem",
        role="alert",
        aria_labelledby="problems",
    )


def _remark(shown: Shown) -> Html | None:
    if shown.obstacle is None:
        return None
    return element("p", shown.texts.obstacles[shown.obstacle], class_="remark", role="alert")


def _failed_tries(shown: Shown) -> Html | None:
    if not shown.view.failed_tries or shown.view.screen not in {Screen.CHOOSE, Screen.OPEN}:
        return None
    return element("p", shown.label("failed_tries"))


def _summary(shown: Shown) -> Html:
    return element("dl", _summary_rows(shown), aria_label=shown.label("summary"))


def _summary_rows(shown: Shown) -> Iterator[Html]:
    view = shown.view
    rows: list[tuple[str, Html | str]] = [
        ("merchant", shown.merchant),
        ("amount", shown_amount(view.amount, view.currency)),
    ]
    if view.description:
        rows.append(("description", view.description))
    if view.door is not None and view.door.method in shown.texts.methods:
        rows.append(("method", shown.texts.methods[view.door.method]))
    if view.choose_until_ms is not None:
        rows.append(("until", _time(view.choose_until_ms)))
    if view.screen is Screen.OPEN and view.door is not None and view.door.until_ms is not None:
        rows.append(("until", _time(view.door.until_ms)))
    if view.paid_at_ms is not None:
        rows.append(("paid_at", _time(view.paid_at_ms)))
    if view.screen in ENDED | {Screen.PROCESSING}:
        rows.append(("transaction", view.transaction_id))
    for name, value in rows:
        yield element("dt", shown.label(name))
        yield element("dd", value)


def _time(at_ms: int) -> Html:
    return element("time", shown_time(at_ms), datetime=machine_time(at_ms))


def _parts(shown: Shown) -> Iterator[Html | None]:
    view = shown.view
    match view.screen:
        case Screen.CHOOSE if shown.may_act:
            yield _choice(shown)
        case Screen.CHOOSE:
            yield element("p", shown.label("use_link"))
        case Screen.BLOCKED if view.door is not None and view.door.until_ms is not None:
            yield element("p", shown.label("blocked_until"), _time(view.door.until_ms))
        case _:
            pass
    buttons = [button for button in _buttons(shown) if button is not None]
    if buttons:
        yield element("div", buttons, class_="actions")


def _buttons(shown: Shown) -> Iterator[Html | None]:
    view = shown.view
    if view.door is not None and view.door.action is not None and view.screen is Screen.OPEN:
        yield _to_provider(shown, view.door.action)
    if view.screen in _CHECKED:
        yield _form(element("button", shown.label("check"), type="submit"), action=shown.addresses.here, method="get")
    if shown.may_act and _can_close(view.door):
        yield _form(element("button", shown.label("close"), type="submit"), action=shown.addresses.close, method="post")
    if view.return_url and view.screen is not Screen.GONE:
        address = shop_address(view.return_url, view.transaction_id)
        is_main = "button main" if view.screen in ENDED else "button"
        yield element("a", shown.label("back_to_shop"), href=address, class_=is_main, rel="noreferrer")


def _can_close(door: Door | None) -> bool:
    return door is not None and door.is_closable


def _to_provider(shown: Shown, action: NextAction) -> Html:
    """Return the way to the provider's page: a link, or a form whose fields the provider asked for."""
    label = shown.label("pay")
    if action.kind != "form_post":
        return element("a", label, href=action.url, class_="button main", rel="noreferrer")
    fields = (element("input", type="hidden", name=name, value=value) for name, value in action.fields.items())
    return _form(fields, element("button", label, type="submit", class_="main"), action=action.url, method="post")


def _form(*children: Html | Iterator[Html], action: str, method: str) -> Html:
    return element("form", *children, action=action, method=method)


# -- the choice


def _choice(shown: Shown) -> Html:
    fields = asked_for(shown.offers)
    single = shown.offers[0].method if len(shown.offers) == 1 else None
    if single is None:
        label = shown.label("continue")
    else:
        label = shown.texts.labels["continue_with"].format(method=shown.texts.methods[single])
    return element(
        "form",
        _methods(shown) if single is None else _only_method(shown, shown.offers[0]),
        _details(shown, fields) if fields else None,
        element("div", element("button", label, type="submit", class_="main"), class_="actions"),
        action=shown.addresses.attempts,
        method="post",
        novalidate=True,
    )


def _only_method(shown: Shown, offer: Offer) -> tuple[Html | None, ...]:
    hint = None if offer.is_closable else element("p", shown.label("one_way"))
    return (element("input", type="hidden", name="method", value=offer.method), hint)


def _methods(shown: Shown) -> Html:
    error = shown.typed.errors.get("method")
    return element(
        "fieldset",
        element("legend", shown.label("choose")),
        element("span", shown.texts.errors[error], class_="error", id="method-error") if error else None,
        (_method(shown, offer) for offer in shown.offers),
        aria_describedby="method-error" if error else None,
    )


def _method(shown: Shown, offer: Offer) -> Html:
    field_id = f"method-{offer.method}"
    hint = None
    if not offer.is_closable:
        hint = element("span", shown.label("one_way"), class_="hint", id=f"{field_id}-hint")
    return element(
        "div",
        element(
            "input",
            type="radio",
            name="method",
            value=offer.method,
            id=field_id,
            checked=shown.typed.method == offer.method,
            aria_describedby=f"{field_id}-hint" if hint else None,
        ),
        element("div", element("label", shown.texts.methods[offer.method], for_=field_id), hint),
        class_="choice",
    )


def _details(shown: Shown, fields: tuple[str, ...]) -> Html:
    return element(
        "fieldset",
        element("legend", shown.label("details")),
        element("p", shown.label("details_why")),
        (_detail(shown, name) for name in fields),
    )


def _detail(shown: Shown, name: str) -> Html:
    error = shown.typed.errors.get(name)
    hint = " ".join(_hints(shown, name))
    described = [f"{name}-hint"] if hint else []
    if error:
        described.append(f"{name}-error")
    return element(
        "div",
        element("label", shown.label(name), for_=name),
        element("span", hint, class_="hint", id=f"{name}-hint") if hint else None,
        element("span", shown.texts.errors[error], class_="error", id=f"{name}-error") if error else None,
        element(
            "input",
            type=_INPUT_TYPES[name],
            id=name,
            name=name,
            value=shown.typed.values.get(name, ""),
            autocomplete=_AUTOCOMPLETE[name],
            maxlength="254",
            aria_invalid="true" if error else None,
            aria_describedby=" ".join(described) or None,
        ),
        class_="field",
    )


def _hints(shown: Shown, name: str) -> Iterator[str]:
    if f"{name}_hint" in shown.texts.labels:
        yield shown.label(f"{name}_hint") + "."
    needing = [offer.method for offer in shown.offers if needs(offer, name)]
    if len(needing) < len(shown.offers):
        methods = ", ".join(shown.texts.methods[method] for method in needing)
        yield shown.texts.labels["needed_for"].format(methods=methods) + "."


def _field_id(name: str, shown: Shown) -> str:
    """Return the id that an error leads to; of the ways to pay, the first."""
    return f"method-{shown.offers[0].method}" if name == "method" else name


# -- the end of the page


def _support(shown: Shown) -> Html | None:
    support = shown.page.merchant.checkout.support
    if support is None:
        return None
    address = support if support.startswith("https://") else f"mailto:{support}"
    return element("p", shown.label("support"), ": ", element("a", support, href=address, rel="noreferrer"))
