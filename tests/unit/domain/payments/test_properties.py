"""Properties of the rules and of what reads foreign bytes. Examples of them are in test_rules.py and the adapters'."""

import base64
import json
import string
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from payflowx.adapters.sqs.messages import JOBS
from payflowx.application.payments.create_payment import NewPayment
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.claim import (
    FailPayment,
    ReopenAttempt,
    ResolveOpenAttempt,
    StartAttempt,
    decide_claim,
    start_instead,
)
from payflowx.domain.payments.events import GENESIS_HASH, Event, chain_faults
from payflowx.domain.payments.not_sent import answered, reopened
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NextAction,
    NotFound,
    NotSent,
    Outcome,
    Progress,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Candidate, Payment, PaymentMethod, Route
from payflowx.domain.payments.ports import Job
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.payments.restored import sent_before
from payflowx.domain.payments.retry import FailureReason, RetryPolicy, choose_candidate
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import (
    apply_outcome,
    fail_payment,
    request_cancel,
    schedule_inquiry,
    send_to_review,
)
from payflowx.domain.payments.transitions import ATTEMPT_TRANSITIONS, PAYMENT_TRANSITIONS
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.backoff import inquiry_delay_ms, retry_delay_ms, wake_delay_ms
from payflowx.domain.shared.errors import Refusal, UnreadableMessageError
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MAX_AMOUNT, MAX_ATTEMPTS, MINUTE_MS
from payflowx.domain.shared.money import CURRENCY_EXPONENTS, to_major, to_minor
from payflowx.domain.shared.statuses import FINAL_STATUSES, AttemptState, CaptureMode, DeclineKind, PaymentStatus
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.entrypoints.api.payments.decoding import decode_new_payment
from payflowx.entrypoints.api.problems import KINDS
from payflowx.entrypoints.api.requests import ApiRequest
from payflowx.providers.http_provider import HttpProvider
from payflowx.providers.registry import connector
from tests.support.handlers import payment_body, rest_event

NOW_MS: Final = 1_790_000_000_000
CURRENCIES: Final = st.sampled_from(sorted(CURRENCY_EXPONENTS))
DETERMINISTIC: Final = settings(derandomize=True, database=None, deadline=None)


class TestMoney:
    @DETERMINISTIC
    @given(st.integers(0, MAX_AMOUNT), CURRENCIES)
    def test_the_decimal_text_is_the_integer_with_a_point(self, amount: int, currency: str) -> None:
        places = CURRENCY_EXPONENTS[currency]
        digits = str(amount).rjust(places + 1, "0")
        expected = f"{digits[:-places]}.{digits[-places:]}" if places else digits
        assert f"{to_major(amount, currency):f}" == expected
        assert to_minor(Decimal(expected), currency) == amount

    @DETERMINISTIC
    @given(st.integers(0, MAX_AMOUNT), CURRENCIES)
    def test_no_float_takes_part(self, amount: int, currency: str) -> None:
        major = to_major(amount, currency)
        minor = to_minor(major, currency)
        assert (type(major), type(minor)) == (Decimal, int)

    @DETERMINISTIC
    @given(st.integers(0, MAX_AMOUNT), CURRENCIES, st.integers(0, 6))
    def test_zeros_behind_the_point_change_nothing(self, amount: int, currency: str, zeros: int) -> None:
        text = f"{to_major(amount, currency):f}"
        padded = text + ("" if "." in text else ".") + "0" * zeros
        assert to_minor(Decimal(padded), currency) == amount

    @DETERMINISTIC
    @given(st.integers(0, MAX_AMOUNT), CURRENCIES, st.integers(1, 9), st.integers(0, 8))
    def test_the_smallest_part_of_a_minor_unit_is_too_small(
        self, amount: int, currency: str, digit: int, zeros: int
    ) -> None:
        places = CURRENCY_EXPONENTS[currency] + zeros + 1
        assert to_minor(to_major(amount, currency) + Decimal(digit).scaleb(-places), currency) is None

    @DETERMINISTIC
    @given(
        st.decimals(min_value=-(10**15), max_value=10**15) | st.sampled_from(["NaN", "sNaN", "-Infinity"]), CURRENCIES
    )
    def test_what_is_returned_is_worth_what_came_in(self, major: Decimal | str, currency: str) -> None:
        value = Decimal(major)
        minor = to_minor(value, currency)
        if minor is not None:
            assert to_major(minor, currency) == value

    @pytest.mark.parametrize("text", ["1." + "0" * 30 + "1", "9" * 40 + ".00", "1E+999999"])
    def test_more_digits_than_the_context_has(self, text: str) -> None:
        minor = to_minor(Decimal(text), "USD")
        assert minor is None or minor == Fraction(text) * 100

    @DETERMINISTIC
    @given(st.decimals(allow_nan=True), st.text(string.ascii_uppercase, min_size=3, max_size=3))
    def test_no_currency_no_amount(self, major: Decimal, code: str) -> None:
        assume(code not in CURRENCY_EXPONENTS)
        assert to_minor(major, code) is None


ABLE: Final = Capabilities(provider="alpha", simulated=True, can_cancel_and_confirm=True)
CODES: Final = st.sampled_from(["a", "b"])
KINDS_OF_DECLINE: Final = st.sampled_from(DeclineKind)
ROUTE: Final = Route(
    document="1",
    rule="all",
    reasons=("rule all",),
    candidates=tuple(Candidate(provider=name, account_id="main") for name in ("alpha", "beta", "gamma")),
)


def charge_like(kind: type[Succeeded] | type[Authorized]) -> st.SearchStrategy[Outcome]:
    """Of the payment under test in most cases, of another amount, currency or reference in others."""
    return st.builds(
        kind,
        reference=st.sampled_from(["ref-1", "ref-2"]),
        amount=st.sampled_from([1999, 1999, 1999, 1998]),
        currency=st.sampled_from(["USD", "USD", "USD", "EUR"]),
        merchant_reference=st.sampled_from(["", "", "", "pfx-another-1"]),
    )


OUTCOMES: Final[st.SearchStrategy[Outcome]] = st.one_of(
    charge_like(Succeeded),
    charge_like(Authorized),
    st.builds(NotSent, code=CODES),
    st.builds(Rejected, code=CODES, retry_after_seconds=st.sampled_from([0, 7, 3_600])),
    st.builds(
        Declined,
        kind=KINDS_OF_DECLINE,
        code=CODES,
        reopens_for_seconds=st.sampled_from([0, 0, 432_000]),
        cancel_required=st.booleans(),
    ),
    st.just(ActionRequired(reference="ref-1", action=NextAction(kind="redirect", url="https://b.test"))),
    st.just(Accepted(reference=None)),
    st.builds(Unknown, code=CODES),
    st.builds(Mismatch, code=CODES),
    st.just(ConfirmedCancelled()),
    st.just(NotFound()),
)
UNRESOLVED: Final = frozenset(
    AttemptState(name) for name in ("STARTED", "UNKNOWN", "ACCEPTED", "REQUIRES_ACTION", "AUTHORIZED")
)
"""Said again, so that a change of the domain's own set is found."""

RESTORE: Final = RestoreWindow(restored_to_ms=NOW_MS - HOUR_MS, stopped_at_ms=NOW_MS, recorded_at_ms=NOW_MS)
STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(["answer", "answer", "answer", "answer", "crash", "changed", "cancel", "review"]),
        OUTCOMES,
        st.sampled_from([0, 5_000, MINUTE_MS, HOUR_MS, DAY_MS, 6 * DAY_MS]),
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Walk:
    """A payment that is claimed and answered as a worker, a sweeper and a merchant may do it."""

    payment: Payment
    policy: RetryPolicy
    now_ms: int = NOW_MS
    audit_log: list[Event] = field(default_factory=list)
    restore: RestoreWindow | None = None
    """Every attempt is one that this restore has forgotten: another search follows it."""

    def context(self) -> Context:
        return Context(now_ms=self.now_ms, actor="worker", holds_lease=True, policy=self.policy, able=ABLE, jitter=0.5)

    def take(self, action: str, outcome: Outcome, wait_ms: int) -> None:
        due_ms = max(self.payment.ready_at_ms, self.now_ms) if self.payment.due_at_ms is not None else self.now_ms
        self.now_ms = due_ms + wait_ms
        decision = decide_claim(self.payment, self.policy, frozenset(), self.now_ms)
        if self.payment.due_at_ms is not None and any(a.state in UNRESOLVED for a in self.payment.attempts):
            assert isinstance(decision, ResolveOpenAttempt)
        if isinstance(decision, ReopenAttempt) and action == "changed":
            decision = start_instead(self.payment.attempts, decision)
        match decision:
            case FailPayment(stop=stop):
                self.apply(fail_payment(self.payment, stop, self.context()))
            case ReopenAttempt(attempt=attempt):
                self.reopen(attempt)
                if action != "crash":
                    self.answer(self.payment.attempt(attempt.number), outcome, first_send=True)
            case StartAttempt(number=number, candidate=candidate):
                self.append(number, candidate)
                if action != "crash":
                    self.answer(self.payment.attempt(number), outcome, first_send=True)
            case ResolveOpenAttempt(attempt=attempt) if action == "cancel" and self.may_cancel(attempt):
                self.apply(request_cancel(self.payment, self.context()))
            case ResolveOpenAttempt() if action == "review" and self.payment.status is not PaymentStatus.IN_REVIEW:
                if self.payment.status not in FINAL_STATUSES:
                    self.apply(send_to_review(self.payment, ReviewReason.OUTCOME_UNKNOWN, self.context()))
            case ResolveOpenAttempt(attempt=attempt):
                self.answer(attempt, outcome, first_send=False)

    def may_cancel(self, attempt: Attempt) -> bool:
        closed = FINAL_STATUSES | {PaymentStatus.IN_REVIEW}
        return attempt.is_open and self.payment.status not in closed and not self.payment.cancel_requested

    def append(self, number: int, candidate: Candidate) -> None:
        assert number == len(self.payment.attempts) + 1 <= MAX_ATTEMPTS
        attempt = Attempt(
            number=number,
            provider=candidate.provider,
            account_id=candidate.account_id,
            provider_key=derive_provider_key(self.payment.transaction_id, number),
            request_hash="h",
            epoch=self.payment.version,
            started_at_ms=self.now_ms,
        )
        if self.restore is not None:
            attempt = sent_before(attempt, self.restore, search_follows=True)
        attempts = (*self.payment.attempts, attempt)
        self.payment = replace(self.payment, attempts=attempts, version=self.payment.version + 1)

    def reopen(self, attempt: Attempt) -> None:
        again = reopened(attempt, epoch=self.payment.version, now_ms=self.now_ms)
        attempts = tuple(again if a.number == again.number else a for a in self.payment.attempts)
        self.payment = replace(self.payment, attempts=attempts, version=self.payment.version + 1)
        assert self.payment.last_attempt == again

    def answer(self, attempt: Attempt, outcome: Outcome, *, first_send: bool) -> None:
        if isinstance(outcome, Succeeded | Authorized) and not outcome.merchant_reference:
            outcome = replace(outcome, merchant_reference=attempt.provider_key)
        verified = verify_outcome(outcome, self.payment, attempt, first_send=first_send)
        change = apply_outcome(self.payment, attempt, verified, self.context())
        if change is not None:
            self.apply(change)
            self.check_weight(attempt, outcome, first_send=first_send)
            return
        later, _ = schedule_inquiry(self.payment, attempt, self.context())
        assert (later.version, later.event_seq) == (self.payment.version + 1, self.payment.event_seq)
        assert (later.status, [a.state for a in later.attempts]) == (
            self.payment.status,
            [a.state for a in self.payment.attempts],
        )
        self.payment = later

    def check_weight(self, before: Attempt, outcome: Outcome, *, first_send: bool) -> None:
        """Money only for exactly what was asked; a refusal of a later send proves nothing of the first."""
        state = self.payment.attempt(before.number).state
        if state in {AttemptState.SUCCEEDED, AttemptState.AUTHORIZED}:
            assert isinstance(outcome, Succeeded | Authorized)
            said = (outcome.amount, outcome.currency, outcome.merchant_reference)
            assert said == (self.payment.amount, self.payment.currency, before.provider_key)
        if isinstance(outcome, NotSent | Rejected) and not first_send:
            assert state is AttemptState.UNKNOWN

    def apply(self, change: Change) -> None:
        before, after = self.payment, change.after
        assert change.before == before
        assert (after.version, after.event_seq) == (before.version + 1, before.event_seq + 1)
        assert change.event.seq == after.event_seq
        assert (change.event.status_from, change.event.status_to) == (before.status, after.status)
        assert after.status is before.status or after.status in PAYMENT_TRANSITIONS[before.status]
        for old, new in zip(before.attempts, after.attempts, strict=True):
            assert new.state is old.state or new.state in ATTEMPT_TRANSITIONS[old.state]
        self.audit_log.append(change.event)
        self.payment = after

    def check(self) -> None:
        """I3, I4, I9 and the promise that what is not final is due, on what is stored now."""
        payment = self.payment
        succeeded = [a.number for a in payment.attempts if a.state is AttemptState.SUCCEEDED]
        assert (payment.charged_attempt is not None) == bool(succeeded)
        if succeeded:
            assert payment.status in {PaymentStatus.SUCCESS, PaymentStatus.IN_REVIEW}
        if payment.status is PaymentStatus.SUCCESS:
            assert succeeded == [payment.charged_attempt]
            assert payment.refundable == payment.amount
        if payment.status in {PaymentStatus.FAILED, PaymentStatus.CANCELLED}:
            assert not any(a.state in UNRESOLVED for a in payment.attempts)
        assert sum(a.state in UNRESOLVED for a in payment.attempts) <= 1
        if payment.status not in FINAL_STATUSES | {PaymentStatus.IN_REVIEW}:
            assert payment.due_at_ms is not None
        assert payment.due_at_ms is None or payment.due_at_ms >= payment.ready_at_ms
        assert chain_faults([*_FIRST_EVENT, *self.audit_log]) == []


def _accepted() -> tuple[Payment, Event]:
    event = Event(
        merchant_id="acme",
        transaction_id="pay_aaaaaaaaaaaaaaaa",
        seq=1,
        type="payment.accepted",
        status_from=None,
        status_to=PaymentStatus.PENDING,
        actor="api",
        at_ms=NOW_MS,
        facts={},
        previous_hash=GENESIS_HASH,
    )
    event = replace(event, hash=event.compute_hash())
    payment = Payment(
        merchant_id="acme",
        transaction_id="pay_aaaaaaaaaaaaaaaa",
        fingerprint="f",
        amount=1999,
        currency="USD",
        capture=CaptureMode.AUTOMATIC,
        payment_method=PaymentMethod(type="card", token="t"),
        customer=None,
        description=None,
        metadata={},
        return_url=None,
        route=ROUTE,
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
        charge_deadline_ms=NOW_MS + DAY_MS,
        event_seq=1,
        event_hash=event.hash,
        due_at_ms=NOW_MS,
        ready_at_ms=NOW_MS,
    )
    return payment, event


_ACCEPTED, _EVENT = _accepted()
_FIRST_EVENT: Final = (_EVENT,)


def walk(
    steps: list[tuple[str, Outcome, int]],
    max_retries: int = 3,
    deadline_ms: int = DAY_MS,
    restore: RestoreWindow | None = None,
) -> Walk:
    policy = RetryPolicy(max_retries=max_retries, charge_deadline_ms=deadline_ms)
    found = Walk(replace(_ACCEPTED, charge_deadline_ms=NOW_MS + deadline_ms), policy, restore=restore)
    for step in steps:
        found.take(*step)
        found.check()
    return found


class TestLifeOfAPayment:
    @settings(DETERMINISTIC, max_examples=800)
    @given(STEPS, st.integers(0, 7), st.sampled_from([DAY_MS, 60 * DAY_MS]), st.sampled_from([None, None, RESTORE]))
    def test_whatever_is_answered_the_rules_hold(
        self, steps: list[tuple[str, Outcome, int]], retries: int, deadline_ms: int, restore: RestoreWindow | None
    ) -> None:
        walk(steps, retries, deadline_ms, restore)

    @settings(DETERMINISTIC, max_examples=150)
    @given(STEPS, st.data())
    def test_a_charge_proven_late_is_never_lost(
        self, steps: list[tuple[str, Outcome, int]], data: st.DataObject
    ) -> None:
        """A provider proves a charge of a closed attempt, when no other attempt is open."""
        found = walk(steps)
        closed = [a for a in found.payment.attempts if AttemptState.SUCCEEDED in ATTEMPT_TRANSITIONS[a.state]]
        assume(closed and not any(a.is_open for a in found.payment.attempts))
        attempt = data.draw(st.sampled_from(closed))
        charged_before = found.payment.charged_attempt
        charge = Succeeded(reference="late", amount=1999, currency="USD", merchant_reference="")
        found.answer(attempt, charge, first_send=False)
        found.check()
        assert found.payment.attempt(attempt.number).state is AttemptState.SUCCEEDED
        assert found.payment.charged_attempt == (charged_before or attempt.number)
        if charged_before is not None:
            assert found.payment.status is PaymentStatus.IN_REVIEW

    @pytest.mark.parametrize(
        "answer",
        [
            Declined(kind=DeclineKind.HARD, code="stolen_card"),
            Declined(kind=DeclineKind.SOFT, code="try_again"),
            NotSent(code="refused"),
            ConfirmedCancelled(),
            Accepted(reference=None),
            ActionRequired(reference=None, action=NextAction(kind="redirect", url="https://b.test")),
        ],
    )
    def test_a_charge_proven_late_beside_an_open_attempt(self, answer: Outcome) -> None:
        found = walk([("answer", Declined(kind=DeclineKind.SOFT, code="x"), 0)])
        found.append(2, ROUTE.candidates[1])
        late = Succeeded(reference="late", amount=1999, currency="USD", merchant_reference="")
        found.answer(found.payment.attempt(1), late, first_send=False)
        found.answer(found.payment.attempt(2), answer, first_send=True)
        assert found.payment.status in {PaymentStatus.SUCCESS, PaymentStatus.IN_REVIEW}


CLOSED: Final = st.sampled_from(
    [
        (AttemptState.NOT_SENT, None),
        (AttemptState.REJECTED, None),
        (AttemptState.FENCED, None),
        *((AttemptState.DECLINED, kind) for kind in (DeclineKind.SOFT, *DeclineKind)),
    ]
)


class TestRetries:
    @settings(DETERMINISTIC, max_examples=150)
    @given(
        st.lists(st.tuples(st.sampled_from(["alpha", "beta", "gamma"]), CLOSED), max_size=8),
        st.integers(0, 7),
        st.sets(st.sampled_from(["alpha", "beta", "gamma"])),
        st.sampled_from([NOW_MS, NOW_MS + DAY_MS - 1, NOW_MS + DAY_MS]),
    )
    def test_a_candidate_is_on_the_route_enabled_in_time_and_has_not_declined(
        self,
        tried: list[tuple[str, tuple[AttemptState, DeclineKind | None]]],
        max_retries: int,
        disabled: set[str],
        now_ms: int,
    ) -> None:
        found = Walk(_ACCEPTED, RetryPolicy(max_retries=7, charge_deadline_ms=DAY_MS))
        for number, (provider, (state, kind)) in enumerate(tried[:MAX_ATTEMPTS], start=1):
            found.append(number, Candidate(provider=provider, account_id="main"))
            closed = replace(found.payment.attempt(number), state=state, decline_kind=kind)
            found.payment = replace(found.payment, attempts=(*found.payment.attempts[:-1], closed))
        policy = RetryPolicy(max_retries=max_retries, charge_deadline_ms=DAY_MS)
        choice = choose_candidate(found.payment, policy, disabled, now_ms)
        if isinstance(choice, FailureReason):
            return
        attempts = found.payment.attempts
        assert choice in ROUTE.candidates
        assert choice.provider not in disabled
        assert now_ms < found.payment.charge_deadline_ms
        assert answered(attempts) <= max_retries
        assert not any(a.decline_kind and a.provider == choice.provider for a in attempts)
        assert not attempts or attempts[-1].decline_kind in {None, DeclineKind.SOFT}
        assert not any(a.state is AttemptState.FENCED and a.provider == choice.provider for a in attempts)
        untried = {c.provider for c in ROUTE.candidates} - disabled - {a.provider for a in attempts}
        assert choice.provider in untried or not untried

    @DETERMINISTIC
    @given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
    def test_back_off_grows_and_jitter_only_shortens(self, retries: int, low: float, high: float) -> None:
        low, high = sorted((low, high))
        assert retry_delay_ms(retries, low) <= retry_delay_ms(retries, high) <= 10 * MINUTE_MS
        assert retry_delay_ms(retries, low) <= retry_delay_ms(retries + 1, low)
        steps = [1_000, 5_000, MINUTE_MS // 2, 5 * MINUTE_MS // 2, 5 * MINUTE_MS]
        assert retry_delay_ms(retries, 0.0) == steps[min(retries, 4)]

    @DETERMINISTIC
    @given(st.integers(0, 10_000))
    def test_inquiries_and_drives_slow_down_to_an_hour(self, count: int) -> None:
        assert 5_000 <= inquiry_delay_ms(count) <= inquiry_delay_ms(count + 1) <= HOUR_MS
        assert MINUTE_MS <= wake_delay_ms(count) <= wake_delay_ms(count + 1) <= HOUR_MS


JSON: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["USD", "AAA", 1999]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
BODY_FIELDS: Final = st.sampled_from(
    [*payment_body(), "capture", "customer", "description", "metadata", "returnUrl", "idempotencyKey", "other"]
)
HEADER_NAMES: Final = st.sampled_from(["Idempotency-Key", "idempotency-key", "Content-Type", "Content-Encoding", "X-A"])


def decode(event: dict[str, Any]) -> NewPayment | Refusal:
    try:
        found: NewPayment | Refusal = decode_new_payment(ApiRequest(event))
    except Refusal as refusal:
        found = refusal
    assert isinstance(found, NewPayment) or found.code in KINDS
    return found


def event_of(body: bytes, headers: dict[str, list[str]]) -> dict[str, Any]:
    event = rest_event("POST", "/payments", {}, {}, body.decode("latin-1"), "acme")
    return event | {"multiValueHeaders": headers}


class TestDecoding:
    HEADERS: Final = {"Content-Type": ["application/json"], "Idempotency-Key": ["k"]}

    @settings(DETERMINISTIC, max_examples=300)
    @given(st.binary(max_size=60) | JSON.map(lambda v: json.dumps(v).encode()), st.booleans(), st.booleans())
    def test_any_body(self, body: bytes, is_base64: bool, is_encoded: bool) -> None:
        """Also one that is said to be in base64 and is not."""
        sent = base64.b64encode(body) if is_encoded else body
        found = decode(event_of(sent, self.HEADERS) | {"isBase64Encoded": is_base64})
        assert isinstance(found, Refusal)

    def test_a_body_in_base64(self) -> None:
        sent = base64.b64encode(json.dumps(payment_body()).encode())
        assert isinstance(decode(event_of(sent, self.HEADERS) | {"isBase64Encoded": True}), NewPayment)

    @settings(DETERMINISTIC, max_examples=400)
    @given(st.dictionaries(BODY_FIELDS, st.sampled_from(["USD", "AAA", "XXX", 1, 10**12]) | JSON, max_size=3))
    def test_a_valid_body_with_anything_in_it(self, changes: dict[str, Any]) -> None:
        body = {**payment_body(), **changes}
        found = decode(event_of(json.dumps(body).encode(), self.HEADERS))
        if isinstance(found, NewPayment):
            assert type(found.amount) is int
            assert 1 <= found.amount <= MAX_AMOUNT
            assert found.currency in CURRENCY_EXPONENTS
            assert set(body) <= {*payment_body(), "capture", "customer", "description", "metadata", "returnUrl"} | {
                "idempotencyKey"
            }

    @settings(DETERMINISTIC, max_examples=300)
    @given(st.dictionaries(HEADER_NAMES, st.lists(st.text(max_size=12), min_size=1, max_size=2), max_size=4))
    def test_any_headers(self, headers: dict[str, list[str]]) -> None:
        named = {name.lower() for name in headers}
        body = json.dumps(payment_body()).encode()
        sent = {name: values for name, values in self.HEADERS.items() if name.lower() not in named} | headers
        found = decode(event_of(body, sent))
        if isinstance(found, NewPayment):
            assert found.idempotency_key.isascii()
            assert found.idempotency_key.isprintable()
            assert " " not in found.idempotency_key

    @settings(DETERMINISTIC, max_examples=200)
    @given(
        st.text(string.ascii_lowercase, min_size=2, max_size=9),
        st.text(string.printable, max_size=1),
        st.sampled_from(["token", "tokens", "type"]),
    )
    def test_tokens_and_types_are_printable(self, text: str, end: str, place: str) -> None:
        """Line breaks at the end included, which a pattern's $ lets pass."""
        text += end
        method: dict[str, Any] = {"type": "card", "token": text}
        if place == "tokens":
            method = {"type": "card", "tokens": {"alpha": text}}
        if place == "type":
            method = {"type": text, "token": "t"}
        body = json.dumps(payment_body(paymentMethod=method)).encode()
        found = decode(event_of(body, self.HEADERS))
        if isinstance(found, NewPayment):
            assert text
            assert all("!" <= char <= "~" for char in text)


class TestJobs:
    FIELDS: Final = st.fixed_dictionaries(
        {
            "format": st.sampled_from([1, 1, 1, 1, 2, "1"]),
            "merchant_id": st.sampled_from(["acme", "acme", "acme", "", 5, None]),
            "transaction_id": st.sampled_from([*["pay_aaaaaaaaaaaaaaaa"] * 3, "", []]),
            "version": st.booleans() | st.none() | st.integers() | st.floats() | st.just("1"),
        },
        optional={
            "provider": st.none() | st.text(max_size=3) | st.integers(),
            "request_hash": st.none() | st.text(max_size=3) | st.just({}),
            "unknown": JSON,
        },
    )

    @settings(DETERMINISTIC, max_examples=400)
    @given(FIELDS.map(json.dumps) | FIELDS.map(json.dumps) | FIELDS.map(json.dumps) | JSON.map(json.dumps) | st.text())
    def test_a_job_or_unreadable(self, body: str) -> None:
        try:
            job = JOBS.decode(body)
        except UnreadableMessageError:
            return
        assert isinstance(job, Job)
        for text in (job.merchant_id, job.transaction_id):
            assert text
            assert type(text) is str
        assert type(job.version) in {int, type(None)}
        assert {type(h) for h in (job.provider, job.account_id, job.request_hash)} <= {str, type(None)}


NAMES: Final = ("mock", "razorpay_mock", "cashfree_mock")
CHARGE: Final = ChargeRequest(
    provider_key="pfx-aaaaaaaaaaaaaaaa-1",
    amount=1999,
    currency="USD",
    token="tok_success",
    payment_method_type="card",
    capture=CaptureMode.AUTOMATIC,
    progress={"order_id": "order_1", "payment_session_id": "session_1", "charge_id": "ch_1"},
)
ACCOUNT: Final = Account(provider="x", account_id="main", endpoint="https://gateway.test", secret_arn="arn:s")
PROVIDER_WORDS: Final = st.sampled_from(
    ["succeeded", "captured", "SUCCESS", "failed", "canceled", "PAID", "TERMINATED", "ch_1", "pay_1", "order_1", "USD"]
)
PROVIDER_FIELDS: Final = st.sampled_from(
    [
        *("id", "status", "amount", "currency", "reference", "data", "items", "order_id", "error", "code", "entity"),
        *("cf_payment_id", "payment_status", "payment_amount", "payment_currency", "order_status", "next_action"),
    ]
)
ANSWER: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | PROVIDER_WORDS | st.sampled_from([1999, 19.99]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(PROVIDER_FIELDS, inner, max_size=6),
    max_leaves=10,
)
RAW: Final = st.binary(max_size=40) | st.sampled_from(
    [b"[" * 5_000, b'{"amount":' + b"9" * 5_000 + b"}", b'{"payment_amount":1E+999999}', b"\xff\xfe"]
)


@dataclass
class Answering:
    """Every request gets this answer."""

    answer: HttpResponse

    def send(self, _request: HttpRequest, _endpoint: str) -> HttpResponse:
        return self.answer


class FixedSecrets:
    def credentials(self, _arn: str) -> Credentials:
        return Credentials(key_id="id", key_secret="secret")


SUCCESSES: Final[dict[str, dict[str, Any]]] = {
    "mock": {"id": "ch_1", "status": "succeeded", "amount": 1999, "currency": "USD", "reference": CHARGE.provider_key},
    "razorpay_mock": {"id": "pay_1", "order_id": "order_1", "amount": 1999, "currency": "USD", "status": "captured"},
    "cashfree_mock": {
        "cf_payment_id": "77",
        "order_id": CHARGE.provider_key,
        "payment_amount": 20,
        "payment_currency": "USD",
        "payment_status": "SUCCESS",
        "is_captured": True,
    },
}
STATUS_FIELDS: Final = {"mock": "status", "razorpay_mock": "status", "cashfree_mock": "payment_status"}
PROVIDER_VALUES: Final = st.none() | st.integers(-5, 10**13) | st.booleans() | st.floats() | PROVIDER_WORDS


class TestProviders:
    """The readers alone are tried in tests/unit/providers; here a whole conversation, as the use cases see it."""

    @pytest.mark.parametrize("name", NAMES)
    @settings(DETERMINISTIC, max_examples=150)
    @given(
        status=st.integers(100, 599) | st.sampled_from([200, 200, 200, 400, 402, 429]),
        body=RAW | ANSWER.map(lambda value: json.dumps(value).encode()),
        retry_after=st.text(max_size=4),
        progress=st.sampled_from([{}, dict(CHARGE.progress)]),
    )
    def test_an_answer_or_not_known_and_no_charge_out_of_garbage(
        self, name: str, status: int, body: bytes, retry_after: str, progress: dict[str, str]
    ) -> None:
        headers = {"retry-after": retry_after, "x-ratelimit-retry": retry_after}
        http_provider = connector_of(name, HttpResponse(status=status, headers=headers, body=body))
        charge = replace(CHARGE, progress=progress)
        kinds = set(OUTCOME_KINDS)
        asks = [(http_provider.charge, kinds | {Progress})]
        if http_provider.may_have_charged(progress):  # before that, nobody asks about an attempt
            asks += [(http_provider.inquire, kinds), (http_provider.cancel_and_confirm, kinds)]
        for ask, allowed in asks:
            outcome = ask(charge, ACCOUNT)
            assert type(outcome) in allowed
            if isinstance(outcome, Succeeded | Authorized):
                said = json.loads(body)
                assert status == 200
                assert any(word in json.dumps(said) for word in ("succeeded", "captured", "SUCCESS"))
                assert type(outcome.amount) is int
                assert outcome.reference
                assert outcome.merchant_reference

    @pytest.mark.parametrize("name", NAMES)
    @settings(DETERMINISTIC, max_examples=300)
    @given(data=st.data())
    def test_a_success_is_one_by_its_status_and_says_what_the_answer_says(self, name: str, data: st.DataObject) -> None:
        whole = SUCCESSES[name]
        body = whole | data.draw(st.dictionaries(st.sampled_from(sorted(whole)), PROVIDER_VALUES, max_size=2))
        body.pop(data.draw(st.sampled_from(["", *whole])), None)
        answer = HttpResponse(status=200, headers={}, body=json.dumps(body).encode())
        outcome = connector_of(name, answer).charge(CHARGE, ACCOUNT)
        if body == whole:
            assert isinstance(outcome, Succeeded)
        if not isinstance(outcome, Succeeded | Authorized):
            return
        assert body[STATUS_FIELDS[name]] == whole[STATUS_FIELDS[name]]
        amount = body["payment_amount"] if name == "cashfree_mock" else body["amount"]
        assert not isinstance(amount, bool)
        assert outcome.amount == (Fraction(str(amount)) * 100 if name == "cashfree_mock" else amount)
        assert outcome.currency == body["payment_currency" if name == "cashfree_mock" else "currency"]


def connector_of(name: str, answer: HttpResponse) -> HttpProvider:
    return HttpProvider(
        connector=connector(name),
        http=Answering(answer),
        secrets=FixedSecrets(),
        clock_ms=lambda: 0,
        observe=lambda *_args: None,
    )


OUTCOME_KINDS: Final = (
    *(Succeeded, Authorized, NotSent, Rejected, Declined, ActionRequired),
    *(Accepted, Unknown, Mismatch, ConfirmedCancelled, NotFound),
)
