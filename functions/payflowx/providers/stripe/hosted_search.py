"""Finds the session of an attempt by our key, where no answer gave its id. Pure.

First the sessions that were created while the request was sent, page by page; then the newest ones, because a later
send may have created it. Lists are current. A session has no searchable metadata.
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
from payflowx.providers.stripe.hosted_requests import PATH, SESSION_FACT, session_id_of
from payflowx.providers.stripe.objects import items_of
from payflowx.providers.stripe.requests import get
from payflowx.providers.stripe.search import EARLIEST_SECONDS, LATEST_SECONDS

SESSIONS_A_PAGE: Final = 40
"""With all their details they fit into one answer."""
PAGES: Final = 3

_NEXT_PAGE: Final = "sessions_after"
"""The id after which the next page begins; empty when there is none."""


def steps(request: ChargeRequest, nothing: NotFound | Unknown) -> Sequence[Step]:
    """Return the steps that learn the session's id, or end with `nothing`. None where it is stored."""
    if session_id_of(request) is not None:
        return ()
    first = Step(name="sent", build=sent, read=_read_page, needed=lambda asked: asked.sent_at_ms is not None)
    following = Step(name="sent", build=sent, read=_read_page, needed=lambda asked: bool(_cursor(asked)))
    recent = Step(name="recent", build=_recent, read=partial(_read_recent, nothing=nothing), needed=_is_unknown)
    return (first, *[following] * (PAGES - 1), recent)


def sent(request: ChargeRequest) -> HttpRequest:
    """List a page of the sessions that were created while the first request of the attempt was sent."""
    at_seconds = (request.sent_at_ms or 0) // SECOND_MS
    cursor = _cursor(request)
    fields = [
        ("created[gte]", str(at_seconds - EARLIEST_SECONDS)),
        ("created[lte]", str(at_seconds + LATEST_SECONDS)),
        *([("starting_after", cursor)] if cursor else []),
        ("limit", str(SESSIONS_A_PAGE)),
    ]
    return get(PATH, fields)


def _recent(_request: ChargeRequest) -> HttpRequest:
    return get(PATH, [("limit", str(SESSIONS_A_PAGE))])


def _is_unknown(request: ChargeRequest) -> bool:
    return SESSION_FACT not in request.progress


def _cursor(request: ChargeRequest) -> str:
    return request.progress.get(_NEXT_PAGE, "") if _is_unknown(request) else ""


def _read_page(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Find our session on the page. A list without it is not conclusive: the next steps follow."""
    if response.status != 200:
        return Progress(facts={_NEXT_PAGE: ""})
    items = items_of(response)
    found = _ours(request, items)
    if found is not None:
        return found
    more = json_object(response).get("has_more") is True and bool(items)
    return Progress(facts={_NEXT_PAGE: reference(items[-1].get("id")) if more else ""})


def _read_recent(request: ChargeRequest, response: HttpResponse, *, nothing: NotFound | Unknown) -> StepResult:
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return _ours(request, items_of(response)) or nothing


def _ours(request: ChargeRequest, items: Sequence[dict[str, Any]]) -> Progress | Mismatch | None:
    """One key creates one session; a second one with the same key goes to manual review."""
    found = [item for item in items if item.get("client_reference_id") == request.provider_key]
    if not found:
        return None
    if len(found) > 1:
        return Mismatch(code="duplicate_charge")
    return Progress(facts={SESSION_FACT: reference(found[0].get("id"))})
