"""Answers to a browser, with the headers that keep a page private and closed to scripts of others."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from payflowx.entrypoints.checkout.static import StaticFile

Answer = dict[str, Any]

_ONE_YEAR_SECONDS: Final = 31_536_000
_EVERY: Final[Mapping[str, str]] = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Strict-Transport-Security": f"max-age={_ONE_YEAR_SECONDS}",
}
_PAGE: Final[Mapping[str, str]] = {
    **_EVERY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def page(status: int, document: str, *, form_hosts: Iterable[str] = (), **headers: str) -> Answer:
    """Return a page. `form_hosts` are the origins to which its forms may lead, besides our own."""
    return _answer(
        status,
        {
            **_PAGE,
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": _policy(form_hosts),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        document,
    )


def see_other(address: str) -> Answer:
    """Return the answer to a form: the browser shows the other address, and repeats nothing when it is reloaded."""
    return _answer(303, {**_PAGE, "Location": address}, "")


def static(file: StaticFile) -> Answer:
    """Return a file that a browser may keep: its name changes with its content."""
    headers = {
        **_EVERY,
        "Content-Type": file.media_type,
        "Cache-Control": f"public, max-age={_ONE_YEAR_SECONDS}, immutable",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return _answer(200, headers, file.text)


def without_body(answer: Answer) -> Answer:
    """Return the answer to HEAD."""
    return {**answer, "body": ""}


def _policy(form_hosts: Iterable[str]) -> str:
    """Nothing inline, nothing from elsewhere. Browsers apply `form-action` also to the redirect after a form."""
    targets = " ".join(("'self'", *sorted(set(form_hosts))))
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )


def _answer(status: int, headers: Mapping[str, str], body: str) -> Answer:
    return {"statusCode": status, "headers": dict(headers), "body": body, "isBase64Encoded": False}
