"""Finds the intent of an attempt by our key, where no answer gave its id. Pure.

First the intents that were created while the request was sent, page by page; then the newest intents, because a later
send may have created it; then the search index, which may be an hour late. Lists are current.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from payflowx.domain.payments.outcome import Mismatch, NotFound, Progress, StepResult, Unknown
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.contract import Step
from payflowx.providers.json_fields import json_object, reference
from payflowx.providers.stripe.fields import KEY_FIELD
from payflowx.providers.stripe.objects import items_of, our_key
from payflowx.providers.stripe.requests import INTENT_FACT, customer_of, get

INTENTS_A_PAGE: Final = 40
"""With all their details they fit into one answer."""
PAGES: Final = 3
EARLIEST_SECONDS: Final = 2
"""How long before our time of the send Stripe's clock may say that it created the intent."""
LATEST_SECONDS: Final = 15
"""How long after it: a call takes 12 seconds at most. Seven intents a second of these times fit into the pages."""

_NEXT_PAGE: Final = "intents_after"
"""The id after which the next page begins; empty when there is none."""


def steps(nothing: NotFound | Unknown) -> Sequence[Step]:
    """Return the steps that learn the intent's id, or end with `nothing`."""
    first = Step(name="sent", build=sent, read=_read_page, needed=lambda request: request.sent_at_ms is not None)
    following = Step(name="sent", build=sent, read=_read_page, needed=lambda request: bool(_cursor(request)))
    return (
        first,
        *[following] * (PAGES - 1),
        Step(name="recent", build=recent, read=_read_recent, needed=is_unknown),
        Step(name="search", build=search, read=partial(_read_search, nothing=nothing), needed=is_unknown),
    )


def is_unknown(request: ChargeRequest) -> bool:
    """Whether the intent's id is not known yet."""
    return INTENT_FACT not in request.progress


def _cursor(request: ChargeRequest) -> str:
    return request.progress.get(_NEXT_PAGE, "") if is_unknown(request) else ""


# --- requests ------------------------------------------------------------------------------------------------


def sent(request: ChargeRequest) -> HttpRequest:
    """List a page of the intents that were created while the first request of the attempt was sent."""
    at_seconds = (request.sent_at_ms or 0) // SECOND_MS
    fields = [
        ("created[gte]", str(at_seconds - EARLIEST_SECONDS)),
        ("created[lte]", str(at_seconds + LATEST_SECONDS)),
    ]
    cursor = _cursor(request)
    return _list(request, [*fields, ("starting_after", cursor)] if cursor else fields)


def recent(request: ChargeRequest) -> HttpRequest:
    """List the newest intents."""
    return _list(request, [])


def search(request: ChargeRequest) -> HttpRequest:
    """Search by our key. The index is usually a minute late, an hour in an outage, and not available in India."""
    query = f"metadata['{KEY_FIELD}']:'{request.provider_key}'"
    return get("/v1/payment_intents/search", [("query", query), ("limit", "2")])


def _list(request: ChargeRequest, fields: list[tuple[str, str]]) -> HttpRequest:
    """List intents, of the customer if there is one."""
    customer = customer_of(request)
    owned = [("customer", customer)] if customer is not None else []
    return get("/v1/payment_intents", [*fields, ("limit", str(INTENTS_A_PAGE)), *owned])


# --- answers -------------------------------------------------------------------------------------------------


def _read_page(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Find our intent on the page. A list without it is not conclusive: the next steps follow."""
    if response.status != 200:
        return Progress(facts={_NEXT_PAGE: ""})
    items = items_of(response)
    found = _ours(request, items)
    if found is not None:
        return found
    more = json_object(response).get("has_more") is True and bool(items)
    return Progress(facts={_NEXT_PAGE: reference(items[-1].get("id")) if more else ""})


def _read_recent(request: ChargeRequest, response: HttpResponse) -> StepResult:
    found = _ours(request, items_of(response)) if response.status == 200 else None
    return found or Progress()


def _read_search(request: ChargeRequest, response: HttpResponse, *, nothing: NotFound | Unknown) -> StepResult:
    """Return only the id: the status in the search index may be an hour old."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return _ours(request, items_of(response)) or nothing


def _ours(request: ChargeRequest, items: Sequence[dict[str, Any]]) -> Progress | Mismatch | None:
    """One key creates one intent; a second intent with the same key goes to manual review."""
    intents = [item for item in items if our_key(item) == request.provider_key]
    if not intents:
        return None
    if len(intents) > 1:
        return Mismatch(code="duplicate_charge")
    return Progress(facts={INTENT_FACT: reference(intents[0].get("id"))})
