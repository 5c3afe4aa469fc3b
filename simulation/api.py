"""API Gateway in front of the API's function, with its authorizer and the authorizer's cache."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from simulation.faults import Faults
from simulation.functions import Platform
from simulation.history import Call, Commanded, History, PageCall
from simulation.identities import PEOPLE, proof_of
from simulation.kernel import EPOCH_MS, Kernel

_AUTHORIZER_CACHE_MS: Final = 60_000
_UNAUTHENTICATED: Final = {"code": "unauthenticated", "status": 401}
_DAY_MS: Final = 24 * 3_600_000
_QUESTIONS: Final = frozenset(
    {"list_reviews", "show_review", "list_disputes", "show_reconciliation", "list_keys", "list_proposals"}
)
"""Commands that change nothing, and take no reason."""
_REASON: Final = {"operator": "the simulation", "reason": "As the simulation needs it"}


_BELOW: Final = {"show": "", "choose": "/attempts", "close": "/close", "return": "/return"}
"""The addresses of our pages below that of the checkout, by what the payer does there."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of our pages, as a browser has it."""

    status: int
    location: str
    html: str


@dataclass(slots=True)
class Api:
    """Requests of merchants and payers, and commands of operators. `api_keys`: a merchant's keys, the newest last."""

    kernel: Kernel
    faults: Faults
    history: History
    platform: Platform
    api_keys: dict[str, list[str]] = field(default_factory=dict)
    authorized: dict[str, tuple[int, str]] = field(default_factory=dict)
    """The authorizer's cache: for each API key, since when, and the merchant; none for one that it denies."""
    refused_keys: set[str] = field(default_factory=set)
    """Keys that the merchants' software has learned not to use any more."""
    reason: Mapping[str, str] = field(default_factory=lambda: _REASON)
    """Who changes something, and why."""
    _requests: int = 0

    def request(  # noqa: PLR0917 - in the order of a request line
        self,
        merchant: str,
        method: str,
        path: str,
        key: str | None = None,
        body: str | None = None,
        query: dict[str, str] | None = None,
    ) -> Call:
        """From a task: one request through API Gateway and its authorizer."""
        call = Call(self.kernel.now_ms, merchant, method, path, key, body, query=query or {})
        self.history.calls.append(call)
        self.kernel.sleep(self.faults.random.randint(5, 60))
        call.api_key = self._key_of(merchant)
        merchant_id = self._authorize(call.api_key)
        if merchant_id is None:
            call.status = 500
            return call
        if not merchant_id:
            return self._denied(call)
        call.admitted_ms, call.acted_for = self.kernel.now_ms, merchant_id
        answer = self.invoke("api", self._event(call, merchant_id, query or {}))
        self.kernel.sleep(self.faults.random.randint(5, 60))
        if self.faults.strikes("client_lost_answer"):
            return call
        call.answered_ms = self.kernel.now_ms
        if answer is None:
            call.status = 502
            return call
        call.status, call.answer = answer["statusCode"], json.loads(answer["body"])
        call.replayed = answer.get("multiValueHeaders", {}).get("Idempotency-Replayed") == ["true"]
        self.history.steps.append((self.kernel.now_ms, merchant, f"{method} {path} {key or ''}", str(call.status)))
        return call

    def _key_of(self, merchant: str) -> str:
        """The newest key that was not refused yet; now and then another process of the merchant has any of them."""
        keys = self.api_keys[merchant]
        if self.faults.strikes("client_uses_any_key"):
            return self.faults.apart.choice(keys)
        usable = [key for key in keys if key not in self.refused_keys]
        return (usable or keys)[-1]

    def _denied(self, call: Call) -> Call:
        """API Gateway answers by itself: the API's function does not run."""
        if self.faults.strikes("client_lost_answer"):
            return call
        call.answered_ms, call.status, call.answer = self.kernel.now_ms, 401, dict(_UNAUTHENTICATED)
        self.refused_keys.add(call.api_key)
        told = f"{call.method} {call.path} {call.key or ''}"
        self.history.steps.append((self.kernel.now_ms, call.merchant, told, "401"))
        return call

    def command(
        self, fields: dict[str, Any], *, function: str = "operations", by: str | None = None, **seen: Any
    ) -> Commanded:
        """From a task: an operator's command. `seen`: what the operator knows of the books. `by`: the person, who
        proves that.
        """
        reason = {} if fields["command"] in _QUESTIONS else self.reason
        commanded = Commanded(self.kernel.now_ms, function, {**fields, **reason}, by=by, **seen)
        self.history.commands.append(commanded)
        commanded.answer = self.invoke(function, self._signed(commanded.command, by))
        commanded.answered_ms = self.kernel.now_ms
        result = "died" if commanded.answer is None else str(commanded.answer.get("error", {}).get("code", "ok"))
        self.history.steps.append((self.kernel.now_ms, "operator", str(fields["command"]), result))
        return commanded

    def _signed(self, command: dict[str, Any], by: str | None) -> dict[str, Any]:
        if by is None:
            return command
        self._requests += 1
        nonce = f"a random text {self._requests:06}"
        return {**command, "proof": proof_of(PEOPLE[by], command, self.kernel.now_ms, nonce)}

    def page(self, owner: tuple[str, str], act: str, token: str, form: dict[str, str] | None = None) -> Page | None:
        """From a task: a payer's request at our pages; None where no answer comes. Pages have no authorizer."""
        at_ms = self.kernel.now_ms
        self.kernel.sleep(self.faults.random.randint(5, 60))
        event = self._page_event(act, token, form or {})
        process, answer = self._invoke("checkout", event)
        self.kernel.sleep(self.faults.random.randint(5, 60))
        if self.faults.strikes("client_lost_answer"):
            answer = None
        status = answer["statusCode"] if answer else 0
        location = answer["headers"].get("Location", "") if answer else ""
        self.history.page_calls.append(PageCall(at_ms, owner, act, token, status, location, process))
        self.history.steps.append((self.kernel.now_ms, f"payer of {owner[0]}", f"{act} {owner[1]}", str(status)))
        return Page(status, location, answer["body"]) if answer else None

    def _page_event(self, act: str, token: str, form: dict[str, str]) -> dict[str, Any]:
        below = _BELOW[act]
        method = "POST" if act in {"choose", "close"} else "GET"
        return {
            "resource": f"/checkout/{{token}}{below}",
            "path": f"/checkout/{token}{below}",
            "httpMethod": method,
            "headers": {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {},
            "queryStringParameters": None,
            "pathParameters": {"token": token},
            "requestContext": self.request_context(),
            "body": urlencode(form) if method == "POST" else None,
            "isBase64Encoded": False,
        }

    def invoke(self, function: str, event: Any) -> Any:
        """From a task: wait for the function's answer; None if it died."""
        return self._invoke(function, event)[1]

    def _invoke(self, function: str, event: Any) -> tuple[int, Any]:
        """As `invoke`, with the number of the invocation."""
        task, answers = self.kernel.current, list[Any]()
        if task is None:
            raise RuntimeError("only a task can wait")

        def done(answer: Any) -> None:
            answers.append(answer)
            self.kernel.after(0, task)

        process = self.platform.invoke(function, event, done)
        self.kernel.wait()
        return process, answers[0]

    def _authorize(self, api_key: str) -> str | None:
        """The merchant, none where the key is denied; None where the authorizer gives no answer. Both are cached."""
        asked_ms, merchant_id = self.authorized.get(api_key, (EPOCH_MS - _DAY_MS, ""))
        if self.kernel.now_ms - asked_ms < _AUTHORIZER_CACHE_MS:
            return merchant_id
        event = {
            "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:eu-west-1:000000000000:api1/v1/GET/payments",
            "headers": {"Authorization": f"Bearer {api_key}"},
        }
        answer = self.invoke("authorizer", event)
        if answer is None:
            return None
        merchant_id = str(answer["context"].get("merchantId", ""))
        self.authorized[api_key] = (self.kernel.now_ms, merchant_id)
        return merchant_id

    def _event(self, call: Call, merchant_id: str, query: dict[str, str]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} if call.body is not None else {}
        if call.key is not None:
            headers["Idempotency-Key"] = call.key
        return {
            "resource": call.path,
            "path": call.path,
            "httpMethod": call.method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": query or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": self.request_context() | {"authorizer": {"merchantId": merchant_id}},
            "body": call.body,
            "isBase64Encoded": False,
        }

    def request_context(self) -> dict[str, Any]:
        """API Gateway's facts about a request."""
        self._requests += 1
        return {
            "requestId": f"request-{self._requests}",
            "stage": "v1",
            "identity": {"sourceIp": "127.0.0.1"},
        }
