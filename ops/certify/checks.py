"""The checks that the tables of the providers consist of: one mechanism for all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from ops.certify.bench import Bench, Exchange
from payflowx.domain.payments.hosted import CHECKOUT, HostedRequest
from payflowx.domain.payments.outcome import ActionRequired, StepResult, Succeeded
from payflowx.domain.payments.refund_list import RefundListUnavailable
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.transport import Credentials

REFUND_SECONDS: Final = 5.0
"""A provider's sandbox finishes a refund within seconds, or reports it as pending."""

_WRONG_KEY: Final = "payflowx-certify-no-secret"
_PAYER_LOOKS: Final = 60
_PAYER_SECONDS: Final = 5.0
"""A payer at the keyboard has five minutes."""


class Verdict(StrEnum):
    """The result of one row."""

    EXPECTED = "as expected"
    DIFFERS = "differs"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The finding of a check. `word`: the kind of the outcome, which the table's expectation names."""

    word: str
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row of a provider's table.

    `question`: of the checklist in docs/providers. `expected`: the outcomes that our connector must read; any other
    is a difference to report. `after`: the names of objects that earlier rows made, without which it is left out.
    """

    name: str
    question: str
    run: Callable[[Bench], Answer]
    expected: tuple[str, ...]
    after: tuple[str, ...] = ()
    needs_token: bool = False
    needs_payer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A row after its run."""

    check: Check
    verdict: Verdict
    answer: Answer
    exchanges: tuple[Exchange, ...] = ()


def run_check(check: Check, bench: Bench) -> Finding:
    """Run one row. An exception is a difference: a sandbox may answer anything."""
    if check.needs_token and bench.token is None:
        return Finding(check=check, verdict=Verdict.LEFT_OUT, answer=Answer(word="needs --token"))
    if check.needs_payer and bench.payer is None:
        return Finding(check=check, verdict=Verdict.LEFT_OUT, answer=Answer(word="needs --payer"))
    missing = [name for name in check.after if name not in bench.made]
    if missing:
        return Finding(check=check, verdict=Verdict.LEFT_OUT, answer=Answer(word=f"needs {', '.join(missing)}"))
    before = len(bench.recorder.exchanges)
    try:
        answer = check.run(bench)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        answer = Answer(word=type(error).__name__)
    verdict = Verdict.EXPECTED if answer.word in check.expected else Verdict.DIFFERS
    if verdict is Verdict.EXPECTED:
        bench.made.add(check.name)
    return Finding(check=check, verdict=verdict, answer=answer, exchanges=tuple(bench.recorder.exchanges[before:]))


def answer_of(outcome: StepResult) -> Answer:
    code, message = getattr(outcome, "code", ""), getattr(outcome, "message", "")
    complete = " (complete)" if getattr(outcome, "complete", False) else ""
    return Answer(word=type(outcome).__name__, code=str(code or "") + complete, message=str(message or ""))


# -- what a row may do


def refused_credentials(bench: Bench) -> Answer:
    """Send a payment with a secret that is none: nothing is made."""
    charge = bench.new_charge(bench.token or "certify", provider_key=bench.new_key())
    wrong = Credentials(key_id=bench.credentials.key_id, key_secret=_WRONG_KEY)
    return answer_of(bench.connected(wrong).charge(charge, bench.account))


def unknown_payment(bench: Bench) -> Answer:
    """Inquire about a payment that was never sent."""
    charge = bench.new_charge("certify", provider_key=bench.new_key())
    return answer_of(bench.connected().inquire(charge, bench.account))


def pay(name: str, token: str | None = None, **changes: Any) -> Callable[[Bench], Answer]:
    """Create a small payment with this token, else with the one of the command line."""
    return lambda bench: answer_of(bench.pay(name, bench.new_charge(token or bench.token or "", **changes)))


def paid_by_payer(name: str, **changes: Any) -> Callable[[Bench], Answer]:
    """Create a payment, give its address to the payer, and inquire until it is paid."""

    def run(bench: Bench) -> Answer:
        outcome = bench.pay(name, bench.new_charge("certify", **changes))
        if not isinstance(outcome, ActionRequired) or bench.payer is None:
            return answer_of(outcome)
        bench.payer(outcome.action.url)
        found: StepResult = outcome
        for _ in range(_PAYER_LOOKS):
            bench.pause(_PAYER_SECONDS)
            found = bench.inquire(name)
            if isinstance(found, Succeeded):
                break
        return answer_of(found)

    return run


def pay_again(name: str) -> Callable[[Bench], Answer]:
    """Send the same request again, with the same key and the same bytes."""

    def run(bench: Bench) -> Answer:
        charge = replace(bench.charges[name], reference=None)
        return answer_of(bench.connected().charge(charge, bench.account))

    return run


def inquire(name: str) -> Callable[[Bench], Answer]:
    return lambda bench: answer_of(bench.inquire(name))


def cancel(name: str) -> Callable[[Bench], Answer]:
    """Cancel an unpaid payment and read it back."""
    return lambda bench: answer_of(bench.connected().cancel_and_confirm(bench.charges[name], bench.account))


def page(name: str, method: str = "card") -> Callable[[Bench], Answer]:
    """Create what a payer pays on the provider's own page, as a checkout does. It lives for an hour."""

    def run(bench: Bench) -> Answer:
        now_ms = bench.clock_ms()
        expires_at_ms = (now_ms + HOUR_MS) // SECOND_MS * SECOND_MS
        hosted = HostedRequest(method=method, expires_at_ms=expires_at_ms, return_url="https://example.com/return")
        charge = bench.new_charge("", payment_method_type=CHECKOUT, sent_at_ms=now_ms, hosted=hosted)
        outcome = bench.pay(name, charge)
        if isinstance(outcome, ActionRequired):
            made = replace(bench.charges[name], hosted=replace(hosted, object_id=outcome.reference))
            bench.charges[name] = made
        return answer_of(outcome)

    return run


HOSTED_PAGE: Final = (
    Check(
        name="hosted page",
        question="What a payer pays on the provider's own page: is it created, with the switches that we send?",
        run=page("hosted"),
        expected=("ActionRequired",),
    ),
    Check(
        name="hosted page again",
        question="The same request twice: the same object, or a refusal that must not be read as one?",
        run=pay_again("hosted"),
        expected=("ActionRequired", "Progress", "Unknown"),
        after=("hosted page",),
    ),
    Check(
        name="hosted page's inquiry",
        question="What does a read say before anybody opened it?",
        run=inquire("hosted"),
        expected=("ActionRequired",),
        after=("hosted page",),
    ),
    Check(
        name="hosted page's closing",
        question="Is it closed, and does the read prove it?",
        run=cancel("hosted"),
        expected=("ConfirmedCancelled", "Declined"),
        after=("hosted page",),
    ),
)
"""The rows about hosted pages, the same at every provider."""


def operate(kind: OperationKind, charge: str, amount: int) -> Callable[[Bench], Answer]:
    """Capture, void or refund; the operation is remembered under its kind and the charge's name."""

    def run(bench: Bench) -> Answer:
        request = bench.new_operation(kind, bench.charges[charge], amount)
        bench.operations[f"{kind} {charge}"] = request
        return answer_of(bench.connected().move(request, bench.account))

    return run


def operate_again(kind: OperationKind, charge: str) -> Callable[[Bench], Answer]:
    return lambda bench: answer_of(bench.connected().move(bench.operations[f"{kind} {charge}"], bench.account))


def inquire_operation(kind: OperationKind, charge: str) -> Callable[[Bench], Answer]:
    def run(bench: Bench) -> Answer:
        bench.pause(REFUND_SECONDS)
        return answer_of(bench.connected().inquire_operation(bench.operations[f"{kind} {charge}"], bench.account))

    return run


def never_sent_operation(kind: OperationKind, charge: str) -> Callable[[Bench], Answer]:
    """Inquire about an operation that was never sent: is the list complete?"""

    def run(bench: Bench) -> Answer:
        request = bench.new_operation(kind, bench.charges[charge], 100)
        return answer_of(
            bench.connected().inquire_operation(replace(request, provider_key=bench.new_key()), bench.account)
        )

    return run


def listed_refunds(charge: str, *, at_least: int) -> Callable[[Bench], Answer]:
    def run(bench: Bench) -> Answer:
        read = bench.connected().refunds_of(bench.charges[charge], bench.account)
        if isinstance(read, RefundListUnavailable):
            return Answer(word="RefundListUnavailable", code=read.code)
        enough = len(read.refunds) >= at_least
        return Answer(word="RefundList" if enough else "RefundListTooShort", code=str(len(read.refunds)))

    return run


def report(bench: Bench) -> Answer:
    """Read the report of the last minutes: is it understood?"""
    able = bench.connected().capabilities
    span_ms = min(HOUR_MS, able.reports.span_ms if able.reports else HOUR_MS)
    now_ms = bench.clock_ms()
    page = ReportPage(from_ms=now_ms - span_ms + MINUTE_MS, until_ms=now_ms + MINUTE_MS)
    read = bench.connected().report_page(page, bench.account)
    return Answer(word=type(read).__name__, code=str(getattr(read, "code", "")))
