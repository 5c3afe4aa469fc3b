"""API Gateway's own answers on payers' pages, as plain pages: no payer can read JSON."""

from dataclasses import dataclass
from html import escape
from typing import Final

from aws_cdk import aws_apigateway as apigateway

_T = apigateway.ResponseType


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """One page, and the response types of API Gateway that it replaces. `status` None: the one of API Gateway."""

    kinds: tuple[apigateway.ResponseType, ...]
    status: int | None = None
    title: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()


_NOTHING_LOST: Final = "Nothing was lost. Wait a moment, then open the payment link again."

PAGE_ANSWERS: Final = (
    PageAnswer(
        kinds=(_T.MISSING_AUTHENTICATION_TOKEN, _T.RESOURCE_NOT_FOUND),
        status=404,
        title="This page does not exist",
        text="Check the address, or ask the shop for a new payment link.",
    ),
    PageAnswer(
        kinds=(_T.REQUEST_TOO_LARGE,),
        status=413,
        title="Too much was sent",
        text="Go back, and enter less.",
    ),
    PageAnswer(
        kinds=(_T.THROTTLED, _T.QUOTA_EXCEEDED),
        status=429,
        title="Many people are paying just now",
        text=_NOTHING_LOST,
        headers=(("Retry-After", "5"),),
    ),
    PageAnswer(kinds=(_T.DEFAULT_4_XX, _T.WAF_FILTERED), title="This cannot be shown", text="Check the address."),
    # With API Gateway's own status: it counts an answer whose status was changed as a client's error.
    PageAnswer(
        kinds=(_T.DEFAULT_5_XX, _T.INTEGRATION_FAILURE, _T.INTEGRATION_TIMEOUT, _T.API_CONFIGURATION_ERROR),
        title="The page does not answer just now",
        text=_NOTHING_LOST,
        headers=(("Retry-After", "5"),),
    ),
)
_HEADERS: Final = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src \\'none\\'; base-uri \\'none\\'; frame-ancestors \\'none\\'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex"),
)


def add_page_responses(api: apigateway.RestApi) -> None:
    """Replace the responses that API Gateway makes without calling the function."""
    for answer in PAGE_ANSWERS:
        for kind in answer.kinds:
            name = "".join(part.capitalize() for part in kind.response_type.split("_"))
            api.add_gateway_response(
                name,
                type=kind,
                status_code=str(answer.status) if answer.status else None,
                response_headers={header: f"'{value}'" for header, value in (*_HEADERS, *answer.headers)},
                templates={"application/json": _page(answer)},
            )


def _page(answer: PageAnswer) -> str:
    title, text = escape(answer.title), escape(answer.text)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body><main><h1>{title}</h1><p>{text}</p></main></body></html>"
    )
