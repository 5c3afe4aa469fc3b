"""Hosted sessions of the mock providers: a page on which a payer, who is present, pays in one or several tries.

The same API at all three mocks, in minor units; only credentials and the format of errors are each provider's own:
`POST /v1/sessions`, `GET /v1/sessions/{id}`, `GET /v1/sessions?reference=`, `POST /v1/sessions/{id}/close`. A session
is open until it is paid, closed, or expires. A payment that the bank still processes goes on after that.
"""

import json
import re
from abc import abstractmethod
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sandbox.behaviours import Effect
from sandbox.hosted_pages import (
    Act,
    HostedCall,
    HostedPage,
    PageState,
    answered,
    no_page,
    page_request_of,
    page_url,
    see_other,
    show,
)
from sandbox.http_types import BadRequestError, Reply, Request, json_reply
from sandbox.post_authorization import TAKEN, PostAuthorizationSimulator
from sandbox.simulator import AUTHORIZED, CANCELED, CHARGED, DECLINED, PENDING, require, require_positive
from sandbox.store import Record

SESSION: Final = "session"
_PATH: Final = re.compile(r"/v1/sessions/(ses_[0-9a-f]+)(/close)?")
_METHODS: Final = ("card", "upi", "netbanking", "wallet")
_PAGE_STATES: Final = {"open": PageState.OPEN, "paid": PageState.PAID}
_STATUSES: Final = {
    CHARGED: "succeeded",
    AUTHORIZED: "authorized",
    PENDING: "processing",
    DECLINED: "failed",
    CANCELED: "canceled",
}
_FAILURES: Final = {
    Effect.FUNDS_DECLINE: {"code": "insufficient_funds", "message": "The account has insufficient funds."},
}
_FAILURE: Final = {"code": "issuer_unavailable", "message": "The issuer cannot be reached."}


class HostedSessions(PostAuthorizationSimulator):
    """A mock provider with hosted sessions. A payment inside one is an ordinary charge of the provider."""

    @abstractmethod
    def session_details(self, session: Record, number: int) -> Record:
        """The provider's own fields of a charge inside the session: `id`, `reference`, `amount`, `currency`, ..."""

    def prepare_session(self, session: Record, now: float) -> None:
        """Create the provider's own objects that a charge inside the session needs. By default there are none."""

    # -- the API

    def answer_session(self, request: Request, now: float) -> Reply | None:
        """Answer a request about sessions; None for any other."""
        route = (request.method, request.path)
        if route == ("POST", "/v1/sessions"):
            return answered(self.store, HostedCall.CREATE, self._create_session(request, now))
        if route == ("GET", "/v1/sessions"):
            found = self._sessions_by_reference(unquote(request.query.get("reference", "")), now)
            return answered(self.store, HostedCall.READ, found)
        match = _PATH.fullmatch(request.path)
        if match is None:
            return None
        session = self.store.get(SESSION, match[1])
        if session is None:
            return json_reply(404, {"error": {"code": "session_missing", "reason": "session_missing"}})
        if request.method == "POST" and match[2]:
            return answered(self.store, HostedCall.CLOSE, self._close_session(session, now))
        if request.method == "GET" and not match[2]:
            return answered(self.store, HostedCall.READ, json_reply(200, self._present_session(session, now)))
        return self.bad_request("this method is not offered here")

    def _create_session(self, request: Request, now: float) -> Reply:
        """The reference is unique: the same request gives the same session, another request with it is refused."""
        body = request.json()
        fields = {"reference": str, "amount": int, "currency": str, "method": str, "expires_at": int}
        require(body, {**fields, "return_url": str, "capture": str}, {"description": str, "customer": dict})
        require_positive(body["amount"])
        if body["method"] not in _METHODS or body["capture"] not in {"automatic", "manual"}:
            raise BadRequestError("method or capture is not known")
        if urlsplit(body["return_url"]).scheme not in {"http", "https"}:
            raise BadRequestError("return_url is no address")
        session_id = self.make_id("ses_", body["reference"])
        known = self.store.get(SESSION, session_id)
        if known is not None and known["body"] != body:
            return json_reply(409, {"error": {"code": "reference_used", "reason": "reference_used"}})
        if known is None:
            if body["expires_at"] <= now * 1000:
                raise BadRequestError("expires_at is in the past")
            known = {"id": session_id, "body": body, "payments": [], "closed": False, "at": now}
            self.prepare_session(known, now)
            self.store.put(SESSION, session_id, known)
            self._tell_session(known, body["expires_at"] / 1000, now)
        return json_reply(200, self._present_session(known, now))

    def _sessions_by_reference(self, reference: str, now: float) -> Reply:
        """A new session may be missing here for as long as the visibility lag; by its id it is found at once."""
        found = self.store.get(SESSION, self.make_id("ses_", reference))
        visible = found is not None and now - found["at"] >= self.visibility_lag_seconds
        return json_reply(200, {"data": [self._present_session(found, now)] if found and visible else []})

    def _close_session(self, session: Record, now: float) -> Reply:
        """A payment that the bank processes goes on."""
        if self._status(session, now) == "paid":
            return json_reply(409, {"error": {"code": "session_paid", "reason": "session_paid"}})
        if not session["closed"]:
            session = self._change_session(session, closed=True)
            self._tell_session(session, now, now)
        return json_reply(200, self._present_session(session, now))

    def _present_session(self, session: Record, now: float) -> dict[str, Any]:
        body = session["body"]
        named = {name: body[name] for name in ("reference", "amount", "currency", "method", "expires_at")}
        return {
            "id": session["id"],
            "object": SESSION,
            **named,
            "status": self._status(session, now),
            "url": page_url(self.public_url, session["id"]),
            "payments": [_present_payment(session, payment) for payment in self._tries(session, now)],
        }

    # -- the payer

    def answer_page(self, request: Request, now: float) -> Reply:
        asked = page_request_of(request)
        session = self.store.get(SESSION, asked.object_id) if asked else None
        if asked is None or session is None:
            return no_page()
        if asked.act is None:
            return show(self._page(session, now))
        if asked.act is not Act.LEAVE and self._status(session, now) == "open":
            self._try(session, asked.act, now)
        here = page_url(self.public_url, session["id"])
        return see_other(here if asked.act.fails else session["body"]["return_url"])

    def _page(self, session: Record, now: float) -> HostedPage:
        body, status = session["body"], self._status(session, now)
        failed = [payment for payment in self._tries(session, now) if payment["state"] == DECLINED]
        return HostedPage(
            provider=self.name,
            amount=body["amount"],
            currency=body["currency"],
            methods=(body["method"],),
            state=_PAGE_STATES.get(status, PageState.CLOSED),
            description=body.get("description", ""),
            error=_failure(failed[-1])["message"] if failed else "",
            back_url=body["return_url"],
            reopens=self.reopens,
        )

    def _try(self, session: Record, act: Act, now: float) -> None:
        details = {
            **self.session_details(session, len(session["payments"])),
            "session_id": session["id"],
            "settled_at": now + act.bank_seconds,
        }
        self._change_session(session, payments=[*session["payments"], details["id"]])
        success = AUTHORIZED if session["body"]["capture"] == "manual" else CHARGED
        self.charge(session["id"], act.behaviour, details, now, success=success, later_seconds=act.bank_seconds)

    # -- state

    def _tries(self, session: Record, now: float) -> list[Record]:
        """In the order of the payer's tries, each in its state at `now`."""
        found = (self.find(payment_id, now) for payment_id in session["payments"])
        return [record for record in found if record is not None]

    def _status(self, session: Record, now: float) -> str:
        if any(payment["state"] in {*TAKEN, CANCELED} for payment in self._tries(session, now)):
            return "paid"
        if session["closed"]:
            return "closed"
        return "expired" if now * 1000 >= session["body"]["expires_at"] else "open"

    def _change_session(self, session: Record, **changes: Any) -> Record:
        changed = {**session, **changes}
        self.store.put(SESSION, session["id"], changed)
        return {**changed, "version": session["version"] + 1}

    # -- webhooks

    def _tell_session(self, session: Record, due: float, now: float) -> None:
        """`session.ended` at the closing and at the expiry: with the session as it is then, which may be paid."""
        self.emit_webhook([("session.ended", {"subject": session["id"]})], due, now)

    def render(self, kind: str, event: Record) -> bytes:
        session = self.store.get(SESSION, event["subject"])
        if session is None:
            return super().render(kind, event)
        snapshot = self._present_session(session, event["due"])
        return json.dumps({"id": event["id"], "type": kind, "session": snapshot}).encode()


def _present_payment(session: Record, payment: Record) -> dict[str, Any]:
    return {
        "id": payment["id"],
        "status": _STATUSES[payment["state"]],
        "amount": payment["taken"],
        "currency": payment["currency"],
        "reference": session["body"]["reference"],
        "settled_at": int(payment["settled_at"] * 1000),
        **({"failure": _failure(payment)} if payment["state"] == DECLINED else {}),
    }


def _failure(payment: Record) -> dict[str, str]:
    return _FAILURES.get(Effect(payment["effect"]), _FAILURE)
