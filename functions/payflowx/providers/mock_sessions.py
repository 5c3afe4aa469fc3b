"""Hosted sessions of the mock providers: requests, and what their answers mean. Pure.

All three mocks have the same API; `HostedSessions` in the simulators serves it. They differ in what a closing proves.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from payflowx.domain.payments.hosted import ExtraCharge, FailedTries, HostedRequest
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    Progress,
    Rejected,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.contract import Hosted, Step
from payflowx.providers.json_fields import action, as_int, as_object, as_text, json_object, reference
from payflowx.providers.sanitize import sanitize

_SESSION_ID: Final = "session_id"
_ENDED: Final = frozenset({"closed", "expired"})
_NO_MONEY: Final = frozenset({"failed", "canceled"})
_KNOWN: Final = frozenset({"succeeded", "authorized", "processing"}) | _NO_MONEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The steps about the sessions of one mock."""

    refused: Callable[[HttpResponse], Rejected | Unknown]
    """The reading of an error status, in the mock's own format."""
    reopens_for_seconds: int = 0
    """How long a payment that failed inside a session may still be charged; 0: a closing is always proof."""

    def hosted(self) -> Hosted:
        return Hosted(
            create=(Step(name="session", build=create, read=self.created),),
            inquiry=self.inquiry,
            close=self.close,
            unable=lambda _request: None,
        )

    def inquiry(self, request: ChargeRequest) -> Sequence[Step]:
        """Read by the session's id, else by our reference, which the session has."""
        if _hosted(request).object_id is not None:
            return (Step(name="read_session", build=read, read=self.read_whole),)
        return (Step(name="find_session", build=find, read=self.found),)

    def close(self, _request: ChargeRequest) -> Sequence[Step]:
        """Find the session if its id is not known, close it, read it."""
        return (
            Step(
                name="find_session",
                build=find,
                read=found_to_close,
                yields=(_SESSION_ID,),
                needed=lambda request: _hosted(request).object_id is None,
            ),
            Step(name="close_session", build=close, read=closed, yields=("close_sent",)),
            Step(name="read_session", build=read, read=self.read_whole),
        )

    def created(self, request: ChargeRequest, response: HttpResponse) -> StepResult:
        """Read the new session, or the one that the same request created before."""
        if response.status != 200:
            return self.refused(response)
        session = json_object(response)
        if (why := _difference(request, session)) is not None:
            return Rejected(code="object_differs", message=why)
        return _address(session) if session.get("status") == "open" else Unknown(code="session_not_open")

    def found(self, request: ChargeRequest, response: HttpResponse) -> StepResult:
        if response.status != 200:
            return Unknown(code=f"http_{response.status}")
        sessions = _listed(response)
        return self._outcome(request, sessions[0]) if sessions else NotFound()

    def read_whole(self, request: ChargeRequest, response: HttpResponse) -> StepResult:
        """Read the session with all its payments. Its absence by id is no proof of anything."""
        if response.status != 200:
            return Unknown(code=f"http_{response.status}")
        return self._outcome(request, json_object(response))

    def _outcome(self, request: ChargeRequest, session: dict[str, Any]) -> Outcome:
        """Money first, then what the bank still processes, then whether the payer can try again."""
        session_id = reference(session.get("id"))
        payments = _payments(session)
        taken = [payment for payment in payments if payment["status"] == "succeeded"]
        held = [payment for payment in payments if payment["status"] == "authorized"]
        if (why := _difference(request, session)) is not None:
            if taken or held or _hosted(request).object_id is not None:
                return Mismatch(code=f"{why}_differs", reference=session_id)
            if session.get("status") not in _ENDED:
                return Unknown(code=f"{why}_differs")  # nobody was given its address, and nobody paid
        if taken:
            return _succeeded(request, taken)
        if held:
            return _authorized(held)
        if any(payment["status"] == "processing" for payment in payments):
            return Accepted(reference=session_id)
        if session.get("status") == "open":
            return _address(session)
        is_released = any(payment["status"] == "canceled" for payment in payments)
        if session.get("status") not in _ENDED and not is_released:
            return Unknown(code="session_without_payment")
        return self._closed(session_id, [payment for payment in payments if payment["status"] == "failed"])

    def _closed(self, session_id: str, failed: Sequence[dict[str, Any]]) -> Outcome:
        """Nobody can pay any more; an authorization was released, if there was one."""
        if not failed or not self.reopens_for_seconds:
            return ConfirmedCancelled(reference=session_id)
        last = as_object(failed[-1].get("failure"))
        return Declined(
            kind=DeclineKind.SOFT,
            code=provider_code(last.get("code")),
            message=sanitize(last.get("message")),
            reference=session_id,
            reopens_for_seconds=self.reopens_for_seconds,
        )


def create(request: ChargeRequest) -> HttpRequest:
    """Create a session for one method. Our key is its reference, which the provider accepts once."""
    hosted = _hosted(request)
    body: dict[str, Any] = {
        "reference": request.provider_key,
        "amount": request.amount,
        "currency": request.currency,
        "method": hosted.method,
        "expires_at": hosted.expires_at_ms,
        "return_url": hosted.return_url,
        "capture": request.capture.value,
    }
    if request.description is not None:
        body["description"] = request.description
    headers = {"Content-Type": "application/json"}
    data = json.dumps(body, separators=(",", ":")).encode()
    return HttpRequest(method="POST", path="/v1/sessions", headers=headers, body=data)


def find(request: ChargeRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=f"/v1/sessions?reference={quote(request.provider_key, safe='')}")


def read(request: ChargeRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=_session(request))


def close(request: ChargeRequest) -> HttpRequest:
    return HttpRequest(method="POST", path=f"{_session(request)}/close")


def found_to_close(_request: ChargeRequest, response: HttpResponse) -> StepResult:
    """The id of the session to close. A missing one proves nothing, because it may appear later."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    sessions = _listed(response)
    if not sessions:
        return Unknown(code="nothing_to_close")
    return Progress(facts={_SESSION_ID: reference(sessions[0].get("id"))})


def closed(_request: ChargeRequest, _response: HttpResponse) -> StepResult:
    """Ignore the answer: only the read that follows counts."""
    return Progress(facts={"close_sent": "true"})


def session_event(event_id: str, event: dict[str, Any]) -> ProviderEvent | None:
    """A webhook about a session causes an inquiry; None for any other webhook."""
    session = as_object(event.get("session"))
    if not session:
        return None
    return ProviderEvent(
        event_id=event_id,
        type=provider_code(event.get("type")),
        charge_reference=provider_reference(session.get("id")),
        charge_key=provider_reference(session.get("reference")),
    )


def _hosted(request: ChargeRequest) -> HostedRequest:
    if request.hosted is None:
        raise ValueError("the request is not about a hosted session")
    return request.hosted


def _session(request: ChargeRequest) -> str:
    session_id = _hosted(request).object_id or request.progress[_SESSION_ID]
    return f"/v1/sessions/{quote(session_id, safe='')}"


def _difference(request: ChargeRequest, session: dict[str, Any]) -> str | None:
    """Which field of the session differs from the request: its own, whatever was asked for."""
    ours = {"reference": request.provider_key, "amount": request.amount, "currency": request.currency}
    as_int(session.get("amount"))
    return next((name for name, value in ours.items() if session.get(name) != value), None)


def _listed(response: HttpResponse) -> list[dict[str, Any]]:
    """The sessions of a search: a reference has one at most. Raises ValueError for anything else."""
    sessions = json_object(response)["data"]
    if not isinstance(sessions, list) or len(sessions) > 1 or not all(isinstance(item, dict) for item in sessions):
        raise ValueError("data is no list of at most one session")
    return sessions


def _payments(session: dict[str, Any]) -> list[dict[str, Any]]:
    """All payments, in the order of the payer's tries. Raises ValueError if one is not understood."""
    payments = session["payments"]
    if not isinstance(payments, list) or not all(isinstance(item, dict) for item in payments):
        raise ValueError("payments is no list of payments")
    if any(payment.get("status") not in _KNOWN for payment in payments):
        raise ValueError("a payment has an unknown status")
    return payments


def _address(session: dict[str, Any]) -> Outcome:
    """The page of an open session, and the payer's failed tries in it."""
    outcome = action(reference(session.get("id")), session.get("url"))
    failed = [payment for payment in _payments(session) if payment["status"] == "failed"]
    if not failed or not isinstance(outcome, ActionRequired):
        return outcome
    last = as_object(failed[-1].get("failure"))
    code, message = provider_code(last.get("code")), sanitize(last.get("message"))
    tries = FailedTries(count=len(failed), code=code, message=message)
    return ActionRequired(reference=outcome.reference, action=outcome.action, failed_tries=tries)


def _succeeded(request: ChargeRequest, taken: Sequence[dict[str, Any]]) -> Succeeded:
    """The payment's charge is the one that we know, else the first that took money; all others are extra."""
    in_order = sorted(taken, key=lambda payment: as_int(payment.get("settled_at")))
    ours = next((payment for payment in in_order if payment.get("id") == request.reference), in_order[0])
    return Succeeded(
        reference=reference(ours.get("id")),
        amount=as_int(ours.get("amount")),
        currency=as_text(ours.get("currency")),
        merchant_reference=as_text(ours.get("reference")),
        extra_charges=tuple(_extra(other) for other in in_order if other is not ours),
    )


def _extra(payment: dict[str, Any]) -> ExtraCharge:
    return ExtraCharge(
        reference=reference(payment.get("id")),
        amount=as_int(payment.get("amount")),
        currency=as_text(payment.get("currency")),
    )


def _authorized(held: Sequence[dict[str, Any]]) -> Outcome:
    first = held[0]
    if len(held) > 1:
        return Mismatch(code="duplicate_authorization", reference=reference(first.get("id")))
    return Authorized(
        reference=reference(first.get("id")),
        amount=as_int(first.get("amount")),
        currency=as_text(first.get("currency")),
        merchant_reference=as_text(first.get("reference")),
    )
