"""Whole pages: a screen, or a sentence without a checkout, in one frame."""

from payflowx.domain.merchants.checkout_profile import DEFAULT_ACCENT
from payflowx.entrypoints.checkout.html import Html, element
from payflowx.entrypoints.checkout.screens import Shown, main_of, title_of
from payflowx.entrypoints.checkout.static import SCRIPT, STYLES, accent_name
from payflowx.entrypoints.checkout.texts.table import Texts


def screen_document(shown: Shown, assets: str) -> str:
    """Return the page of a checkout. `assets` is the relative address of the static files, with a final slash."""
    return _document(
        texts=shown.texts,
        title=title_of(shown),
        accent=shown.page.merchant.checkout.accent or DEFAULT_ACCENT,
        assets=assets,
        body=(element("header", element("p", shown.merchant)), main_of(shown)),
    )


def plain_document(texts: Texts, name: str, assets: str, back: str | None = None) -> str:
    """Return a page of one sentence. `back` is the address of the checkout's page, where the payer has one."""
    page = texts.pages[name]
    link = element("p", element("a", texts.labels["back_to_page"], href=back)) if back else None
    return _document(
        texts=texts,
        title=page.heading,
        accent=DEFAULT_ACCENT,
        assets=assets,
        body=(element("main", element("h1", page.heading), element("p", page.sentence), link, data_state=name),),
    )


def _document(*, texts: Texts, title: str, accent: str, assets: str, body: tuple[Html, ...]) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("title", title),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="robots", content="noindex"),
        element("link", rel="stylesheet", href=f"{assets}{accent_name(accent)}"),
        element("link", rel="stylesheet", href=f"{assets}{STYLES.name}"),
        element("script", src=f"{assets}{SCRIPT.name}", defer=True),
    )
    # The region is there from the beginning: a screen reader reports only changes of a region that it knows.
    status = element("p", role="status", aria_live="polite", class_="no-print")
    page = element("html", head, element("body", body, status), lang=texts.language, dir=texts.direction)
    return f"<!doctype html>\n{page.markup}\n"
