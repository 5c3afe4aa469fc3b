"""Every answer that the simulator gives, with each member altered in turn: a reader never raises and never guesses.

An answer about money that moved, or may move, never becomes one that ends the attempt without it; an answer about
none never becomes a success; and a success is never believed with another amount, currency or name than the answer's.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from payflowx.domain.payments.outcome import (
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    NotSent,
    Progress,
    Rejected,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers import http_provider
from tests.conformance.conftest import possible
from tests.support.altered import altered, other_numbers, other_texts
from tests.support.conformance import ProviderHarness
from tests.support.faulty_transport import Trouble
from tests.support.hosted import HostedHarness

Asked = ChargeRequest | OperationRequest
ENDED = (Declined, Rejected, NotSent, ConfirmedCancelled)
MONEY = (Succeeded, Authorized)
TOKENS = (
    *("tok_success", "tok_requires_action", "tok_soft_decline", "tok_insufficient_funds", "tok_async_failure"),
    *("tok_async_success", "tok_timeout_after_charge", "tok_timeout_before_charge"),
)
BUTTONS = ("Pay", "Fail", "Leave", "Bank answers in 10 seconds")
ONE_CURRENCY = {"payu"}
"""Its answers hold no currency, because it has one only."""
read_answer = http_provider._read


@dataclass(frozen=True)
class Exchange:
    """One answer as it was read."""

    step: Any
    asked: Any
    response: HttpResponse
    outcome: StepResult

    def read(self, document: Any) -> StepResult:
        """Read another body with the same status, as `HttpProvider` does."""
        body = json.dumps(document).encode()
        response = HttpResponse(status=self.response.status, headers=self.response.headers, body=body)
        return read_answer(self.step, self.asked, response)

    def proves(self, outcome: StepResult) -> bool:
        """Whether the outcome is money of the request's amount, currency and key."""
        if not isinstance(outcome, MONEY):
            return False
        asked = (self.asked.provider_key, self.asked.currency, self.asked.amount)
        return (outcome.merchant_reference, outcome.currency, outcome.amount) == asked

    @property
    def document(self) -> Any:
        return json.loads(self.response.body)

    @property
    def names(self) -> set[str]:
        """Our key and the provider's ids by which the answer is known to be ours."""
        asked = self.asked
        of_charge = (asked.charge_key, asked.charge_reference) if isinstance(asked, OperationRequest) else ()
        facts = {**asked.progress, **(asked.charge_progress if isinstance(asked, OperationRequest) else {})}
        known = {asked.provider_key, asked.reference, *of_charge, *facts.values()}
        return {name for name in known if name and name not in {"true", "created", "existed"}}


@cache
def exchanges(provider: str) -> list[Exchange]:
    """Different answers to charges, inquiries, cancellations, operations and hosted objects; each kind once."""
    found: dict[tuple[Any, ...], Exchange] = {}

    def record(step: Any, asked: Any, response: HttpResponse) -> StepResult:
        outcome = read_answer(step, asked, response)
        if response.body[:1] in {b"{", b"["}:
            shown = outcome if isinstance(outcome, Declined | Unknown | Mismatch) else type(outcome)
            found.setdefault((step.name, response.status, str(shown)), Exchange(step, asked, response, outcome))
        return outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_provider, "_read", record)
        for walk in (_charges, _operations, _hosted_objects):
            walk(provider)
    return list(found.values())


def _charges(provider: str) -> None:
    for mode in ProviderHarness(provider).http_provider.capabilities.capture_modes:
        for token in TOKENS:
            harness = ProviderHarness(provider)
            harness.pay(token, mode)
            for _ in range(6):
                harness.world.work_until_idle()
                harness.world.clock.advance(1_200)
                harness.world.sweep(harness.world.deadline)


def _operations(provider: str) -> None:
    for kind, amount in possible(provider):
        for trouble in ({}, {1: Trouble.ANSWER_LOST}, {1: Trouble.REQUEST_LOST}):
            harness = ProviderHarness(provider)
            payment = harness.paid_for(kind)
            harness.world.line.troubles = dict(trouble)
            harness.settle(harness.request(kind, payment, None if kind is OperationKind.VOID else amount))


def _hosted_objects(provider: str) -> None:
    able = ProviderHarness(provider).http_provider.capabilities.hosted
    assert able is not None
    for button in BUTTONS:
        for mode in able.capture_modes:
            harness = HostedHarness(provider, capture=mode)
            browser = harness.open()
            harness.inquire()
            browser.press(button, min(able.methods))
            harness.inquire()
            harness.advance(60)
            harness.inquire()
            harness.close()
            harness.inquire()


def test_all_kinds_of_answers_are_walked(provider: str) -> None:
    kinds = {type(exchange.outcome) for exchange in exchanges(provider)}
    assert {Succeeded, Declined, ActionRequired, NotFound} <= kinds


def test_one_member_altered(provider: str) -> None:
    for exchange, change, outcome in _altered(provider):
        said = f"{exchange.step.name}: {change}: {exchange.outcome} became {outcome}"
        match exchange.outcome:
            case Succeeded() | Authorized():
                assert not _ends(exchange, outcome), said
            case Declined() as before:
                assert not exchange.proves(outcome), said
                assert not isinstance(outcome, ENDED) or _as_careful(before, outcome), said
            case Rejected() | NotSent() | ConfirmedCancelled() | Progress() | Mismatch():
                assert not exchange.proves(outcome), said
            case _:
                assert not exchange.proves(outcome), said
                assert not _ends(exchange, outcome), said


def _altered(provider: str) -> Iterator[tuple[Exchange, str, StepResult]]:
    for exchange in exchanges(provider):
        for change, document in altered(exchange.document):
            yield exchange, change, exchange.read(document)


def _ends(exchange: Exchange, outcome: StepResult) -> bool:
    """Whether the attempt ends without money.

    An object whose address nobody was given may differ, and a complete list without our key does not hold ours: only
    together with a documented refusal it ends an operation.
    """
    if isinstance(outcome, Rejected) and outcome.code == "object_differs":
        return False
    return isinstance(outcome, ENDED)


def _as_careful(before: Declined, now: StepResult) -> bool:
    """Whether a decline asks for the same proof as before."""
    if not isinstance(now, Declined):
        return False
    return (now.cancel_required, now.reopens_for_seconds) == (before.cancel_required, before.reopens_for_seconds)


def test_a_success_is_of_the_answers_own_amount_currency_and_name(provider: str) -> None:
    for exchange in exchanges(provider):
        if not exchange.proves(exchange.outcome):
            continue
        document = exchange.document
        currency = exchange.asked.currency
        others = {currency: "XTS", currency.lower(): "xts"}
        assert not exchange.proves(exchange.read(other_numbers(document))), exchange.step.name
        assert provider in ONE_CURRENCY or not exchange.proves(exchange.read(other_texts(document, others)))
        foreign = {name: f"{name[:-1]}Q" for name in exchange.names}
        assert not exchange.proves(exchange.read(other_texts(document, foreign))), exchange.step.name
