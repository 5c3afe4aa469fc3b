"""The data that both languages' doubles are made of, and the refusals in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

DATA: Final[dict[str, Any]] = json.loads(files("payflowx_client.testing").joinpath("data.json").read_text())


@dataclass(frozen=True, slots=True)
class Scenario:
    """A course of events. A payment takes it if it is paid with `token`, a checkout if `metadata.scenario` names it."""

    name: str
    token: str | None
    means: str
    steps: tuple[Mapping[str, Any], ...]
    loses_answers: int
    is_delivered_reversed: bool


def _scenario(described: Mapping[str, Any]) -> Scenario:
    return Scenario(
        name=described["name"],
        token=described.get("token"),
        means=described["means"],
        steps=tuple(described["steps"]),
        loses_answers=described.get("losesAnswers", 0),
        is_delivered_reversed=described.get("delivery") == "reversed",
    )


SCENARIOS: Final[Mapping[str, Scenario]] = {each["name"]: _scenario(each) for each in DATA["scenarios"]}
CHECKOUTS: Final[Mapping[str, Scenario]] = {each["name"]: _scenario(each) for each in DATA["checkouts"]}
_BY_TOKEN: Final = {each.token: each for each in SCENARIOS.values()}


def is_checkout(request: Mapping[str, Any]) -> bool:
    """Whether a payer chooses how to pay, on a page."""
    return bool(request["paymentMethod"]["type"] == "checkout")


def scenario_of(request: Mapping[str, Any]) -> Scenario:
    """By the token, any other token succeeds; that of a checkout by its metadata, any other checkout is paid."""
    if is_checkout(request):
        return CHECKOUTS.get((request.get("metadata") or {}).get("scenario", ""), CHECKOUTS["checkout_paid"])
    method = request["paymentMethod"]
    tokens = [method.get("token"), *(method.get("tokens") or {}).values()]
    return next((_BY_TOKEN[each] for each in tokens if each in _BY_TOKEN), SCENARIOS["success"])


class RefusedError(Exception):
    """A request that the API refuses, by a name of the data's `refusals`."""

    def __init__(self, name: str, *, order: Mapping[str, Any] | None = None, **values: object) -> None:
        self.status, self.code, self.title, detail, *field = DATA["refusals"][name]
        self.detail = detail.format(**values)
        self.field = field[0].format(**values) if field else None
        self.order = order
        super().__init__(self.code)

    def body(self, request_id: str) -> dict[str, Any]:
        """The problem document."""
        members = {
            "type": f"urn:payflowx:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "requestId": request_id,
        }
        return members | {name: one for name, one in (("field", self.field), ("order", self.order)) if one is not None}

    def headers(self) -> dict[str, str]:
        """With `Retry-After` where the API says one."""
        seconds = DATA["retryAfterSeconds"].get(self.code)
        return {"content-type": "application/problem+json"} | ({"retry-after": str(seconds)} if seconds else {})
