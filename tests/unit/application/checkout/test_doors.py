"""Payers, providers and workers who do their worst: no two objects of one checkout can be paid at a time.

Each run has a seed. A provider here keeps books of its own: what the product believes is compared with them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from payflowx.application.checkout.page import Contact
from payflowx.application.payments import charge_session
from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.new_checkout import NewCheckout
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments import closed_attempts
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.checkout import Checkout, Choice
from payflowx.domain.payments.hosted import ExtraCharge, FailedTries
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    ConfirmedCancelled,
    Declined,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.recovery_plan import RecoveryStep
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.errors import PayFlowXError, Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, DUE_AFTER_ACCEPT_MS, HOUR_MS, MINUTE_MS
from payflowx.domain.shared.statuses import DeclineKind, PaymentStatus
from tests.support.scripted import ScriptedProviders, charged
from tests.unit.application.checkout.conftest import HostedProvider, Shop, hosted_providers, opened

SEEDS = 250
STEPS = 60
REOPENS_MS = HOUR_MS


@dataclass
class Try:
    """A payer's try inside an object. `decided_at_ms`: when the bank answers; `pays`: what it will say."""

    decided_at_ms: int
    pays: bool


@dataclass
class Door:
    """An object in the provider's books."""

    key: str
    expires_at_ms: int
    is_provable: bool
    closed_at_ms: int | None = None
    tries: list[Try] = field(default_factory=list)

    def is_payable(self, now_ms: int) -> bool:
        return self.closed_at_ms is None and now_ms < self.expires_at_ms

    def charges(self, now_ms: int) -> int:
        return sum(each.pays and each.decided_at_ms <= now_ms for each in self.tries)

    def is_processing(self, now_ms: int) -> bool:
        return any(each.decided_at_ms > now_ms for each in self.tries)

    def ended_at_ms(self) -> int:
        return min(self.expires_at_ms, self.closed_at_ms or self.expires_at_ms)

    def may_still_take_money(self, now_ms: int) -> bool:
        """It can be paid, the bank processes a try, or a failed one may be reversed."""
        reopens = not self.is_provable and bool(self.tries) and now_ms < self.ended_at_ms() + REOPENS_MS
        return self.is_payable(now_ms) or self.is_processing(now_ms) or reopens


@dataclass
class BookkeepingProvider(HostedProvider):
    """A provider with books, whose answers get lost."""

    doors: dict[str, Door] = field(default_factory=dict)
    random: Random = field(default_factory=Random)
    now_ms: Callable[[], int] = lambda: 0
    is_flaky: bool = True

    def charge(self, request: ChargeRequest, account: Account) -> StepResult:
        fate = self.random.random() if self.is_flaky else 1.0
        if fate < 0.05:
            return NotSent(code="no_connection")
        if fate < 0.1:
            return Rejected(code="not_enabled")
        hosted = request.hosted
        assert hosted is not None
        is_provable = self.able.hosted is not None and self.able.hosted.is_closing_proof
        door = Door(key=request.provider_key, expires_at_ms=hosted.expires_at_ms, is_provable=is_provable)
        known = self.doors.setdefault(request.provider_key, door)
        assert known.expires_at_ms == hosted.expires_at_ms, "the same key with other bytes"
        return Unknown(code="timeout") if fate < 0.3 else opened(request)

    def inquire(self, request: ChargeRequest, account: Account) -> StepResult:  # type: ignore[override]
        return Unknown(code="timeout") if self._is_lost() else self._state(request)

    def cancel_and_confirm(self, request: ChargeRequest, account: Account) -> StepResult:  # type: ignore[override]
        door = self.doors.get(request.provider_key)
        if self._is_lost() or door is None:
            return Unknown(code="timeout")
        door.closed_at_ms = door.closed_at_ms or self.now_ms()
        return Unknown(code="timeout") if self._is_lost() else self._state(request)

    def _is_lost(self) -> bool:
        return self.is_flaky and self.random.random() < 0.25

    def _state(self, request: ChargeRequest) -> StepResult:
        door, now_ms = self.doors.get(request.provider_key), self.now_ms()
        if door is None:
            return NotFound()
        if count := door.charges(now_ms):
            extra = [ExtraCharge(reference=f"x{n}-{door.key}", amount=1999, currency="USD") for n in range(1, count)]
            return replace(charged(request), extra_charges=tuple(extra))
        if door.is_processing(now_ms):
            return Accepted(reference=f"obj-{door.key}")
        failed = FailedTries(count=len(door.tries), code="declined") if door.tries else None
        if door.is_payable(now_ms):
            return replace(opened(request), failed_tries=failed)
        if door.is_provable or not door.tries:
            return ConfirmedCancelled()
        left_ms = door.ended_at_ms() + REOPENS_MS - now_ms
        seconds = max(0, -(-left_ms // 1000))
        return Declined(kind=DeclineKind.SOFT, code="ended", reopens_for_seconds=seconds)


@dataclass
class Street:
    """One run: a payer with several tabs, a merchant, workers, and the time."""

    seed: int

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.shop = Shop()
        found = {
            name: BookkeepingProvider(name, each.able, random=self.random)
            for name, each in hosted_providers().providers.items()
        }
        # Its objects end before the checkout does, so that another one could open beside a try that is reversed.
        gamma = found["gamma"].able
        assert gamma.hosted is not None
        found["gamma"].able = replace(gamma, hosted=replace(gamma.hosted, max_lifetime_ms=10 * MINUTE_MS))
        self.shop.world.providers = ScriptedProviders(dict(found))
        self.shop.world.deploy()
        self.providers = list(found.values())
        for provider in self.providers:
            provider.now_ms = self.shop.world.clock.now_ms
        lifetime = self.random.choice((900, 3600, 14_400))
        self.payment = self.shop.sell(checkout=NewCheckout(lifetime_seconds=lifetime))
        self.known: set[str] = set()

    @property
    def now_ms(self) -> int:
        return self.shop.world.clock.now_ms()

    @property
    def doors(self) -> list[Door]:
        return [door for provider in self.providers for door in provider.doors.values()]

    def stored(self) -> Payment:
        stored = self.shop.world.payments.get(self.payment.merchant_id, self.payment.transaction_id)
        assert stored is not None
        return stored

    def step(self) -> None:
        acts = (self._choose, self._choose, self._close, self._pay, self._pay, self._work, self._work, self._wait)
        rare = (self._cancel, self._crash, self._beside, self._come_back, self._event)
        act = self.random.choice(rare) if self.random.random() < 0.15 else self.random.choice(acts)
        act()
        self._learn()
        self._check()

    def _learn(self) -> None:
        """A payer may have every address that was given out."""
        self.known |= {a.provider_key for a in self.stored().attempts if a.next_action is not None}

    def _check(self) -> None:
        open_doors = [d.key for d in self.doors if d.key in self.known and d.may_still_take_money(self.now_ms)]
        assert len(open_doors) <= 1, f"seed {self.seed}: {open_doors} can be paid"
        stored = self.stored()
        if stored.is_checkout_to_go_on:
            soon_ms = self.now_ms + HOUR_MS + DUE_AFTER_ACCEPT_MS
            assert (stored.due_at_ms or DAY_MS * 365_000) <= soon_ms, f"seed {self.seed}: a choice is forgotten"

    # -- acts

    def _choose(self) -> None:
        self._tolerant(
            lambda: self.shop.page().choose(
                self.shop.token(self.payment), self.random.choice(("card", "upi", "netbanking")), Contact()
            )
        )

    def _close(self) -> None:
        self._tolerant(lambda: self.shop.page().close(self.shop.token(self.payment)))

    def _pay(self) -> None:
        """In any tab, also in an old one: the provider takes it if its object is open."""
        doors = [door for door in self.doors if door.key in self.known and door.is_payable(self.now_ms)]
        if not doors:
            return
        delay_ms = self.random.choice((0, 0, 0, 30_000, 20 * MINUTE_MS))
        self.random.choice(doors).tries.append(Try(self.now_ms + delay_ms, pays=self.random.random() < 0.25))

    def _work(self) -> None:
        if self.shop.world.jobs.sent and self.random.random() < 0.8:
            job, _ = self.shop.world.jobs.sent.pop(0)
            self._tolerant(lambda: self.shop.world.process(job, self.shop.world.deadline))
        else:
            self._tolerant(lambda: self.shop.world.outcome_writer.wake(self.payment, 0))

    def _wait(self) -> None:
        self.shop.world.clock.advance(self.random.choice((1, 20, 61, 300, 1200)))

    def _cancel(self) -> None:
        if self.random.random() < 0.3:
            self._tolerant(lambda: self.shop.world.cancel(self.payment.merchant_id, self.payment.transaction_id))

    def _crash(self) -> None:
        """The worker dies before one of its writes."""

        def die() -> None:
            raise StorageUnavailableError("the worker died")

        method = self.random.choice(("update_item", "transact_write_items"))
        self.shop.world.before_next(method, die)
        self._work()
        self.shop.world.dynamodb.before = lambda _method, _request: None

    def _beside(self) -> None:
        """Another worker, or another tab, between a read and a write."""
        other = self.random.choice((self._work, self._choose, self._close))
        self.shop.world.before_next(self.random.choice(("update_item", "transact_write_items")), other)
        self.random.choice((self._work, self._choose))()
        self.shop.world.dynamodb.before = lambda _method, _request: None

    def _come_back(self) -> None:
        hosted = next((a.hosted for a in self.stored().attempts if a.hosted), None)
        if hosted is not None:
            token = hosted.return_url.rsplit("/", 2)[1]
            self._tolerant(lambda: self.shop.page().come_back(token))

    def _event(self) -> None:
        """A provider's event about any object, also a closed one. Some prove a charge of the books."""
        attempts = self.stored().attempts
        if not attempts:
            return
        attempt, number = self.random.choice(attempts), self.random.randrange(1_000_000)
        reference = self.random.choice((None, attempt.reference, f"x-{number}"))
        door = next((door for door in self.doors if door.key == attempt.provider_key), None)
        proof = None
        if door is not None and door.charges(self.now_ms) and self.random.random() < 0.5:
            charge = self.random.randrange(door.charges(self.now_ms))
            reference = f"x{charge}-{door.key}" if charge else f"ref-{door.key}"
            proof = Succeeded(reference=reference, amount=1999, currency="USD", merchant_reference=door.key)
        event = ProviderEvent(
            event_id=f"evt-{number}",
            type="about",
            charge_key=attempt.provider_key,
            charge_reference=reference,
            outcome=proof,
        )
        inbound = ReceivedEvent(
            merchant_id=self.payment.merchant_id,
            provider=attempt.provider,
            account_id=attempt.account_id,
            provider_event=event,
            received_at_ms=self.now_ms,
        )
        self._tolerant(lambda: self.shop.world.process_provider_event(inbound))

    @staticmethod
    def _tolerant(act: Callable[[], object]) -> None:
        """A repeat follows, as after every lost answer."""
        try:
            act()
        except (StorageUnavailableError, Refusal):
            return

    # -- the end

    def rest(self) -> Payment:
        """No fault any more, and time until nothing is due."""
        for provider in self.providers:
            provider.is_flaky = False
        for _ in range(400):
            self.shop.world.jobs.sent.clear()
            self.shop.world.clock.advance(900)
            self.shop.world.outcome_writer.wake(self.payment, 0)
            while self.shop.world.jobs.sent and self.shop.world.jobs.sent[0][1] <= 5:
                self.shop.world.work()
            self._learn()
            self._check()
            if self.stored().due_at_ms is None:
                return self.shop.world.now(self.payment)
        raise AssertionError(f"seed {self.seed}: {self.stored().status} is still due")


def run(seed: int) -> PaymentStatus:
    """Raises AssertionError for whatever must not be."""
    street = Street(seed)
    for _ in range(STEPS):
        street.step()
    payment = street.rest()
    chosen = sum(event.type == "checkout.method_chosen" for event in street.shop.world.events_of(payment))
    unopened = sum(attempt.is_hosted_unopened for attempt in payment.attempts)
    assert len(payment.attempts) <= chosen + unopened, f"seed {seed}: an attempt without a choice"
    paid = [door for door in street.doors if door.charges(street.now_ms)]
    assert len(paid) <= 1, f"seed {seed}: {paid}"
    if paid:
        assert payment.status in {PaymentStatus.SUCCESS, PaymentStatus.IN_REVIEW}, f"seed {seed}"
        assert payment.captured == payment.amount, f"seed {seed}"
        assert len(payment.extra_charges) == paid[0].charges(street.now_ms) - 1, f"seed {seed}"
    else:
        assert payment.status in {PaymentStatus.FAILED, PaymentStatus.CANCELLED}, f"seed {seed}: {payment.status}"
    return payment.status


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_no_two_objects_can_be_paid_and_the_end_is_that_of_the_books(first: int) -> None:
    ends = {run(seed) for seed in range(first, first + 50)}
    assert {PaymentStatus.SUCCESS, PaymentStatus.FAILED} <= ends


def _weaker_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another object opens although a closing proved nothing: the provider may still take the money."""
    monkeypatch.setattr(Attempt, "is_watched", property(lambda _attempt: False))


def _closing_without_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closing counts as proven once it was sent."""
    real = ResolveAttempt._act

    def act(session: ChargeSession, step: RecoveryStep, outcome: Outcome) -> Outcome:
        found = real(session, step, outcome)
        return ConfirmedCancelled() if step.cancel_and_confirm and isinstance(found, Unknown) else found

    monkeypatch.setattr(ResolveAttempt, "_act", staticmethod(act))


def _choice_is_not_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One choice begins attempt after attempt."""

    def renewed(checkout: Checkout, number: int) -> Choice | None:
        return replace(checkout.choice, number=number) if checkout.choice else None

    monkeypatch.setattr(Checkout, "choice_for", renewed)
    monkeypatch.setattr(Checkout, "without_choice", lambda checkout: replace(checkout, closing=None))


def _failed_try_ends_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed try inside an open object counts as its decline."""
    real = BookkeepingProvider._state

    def state(provider: BookkeepingProvider, request: ChargeRequest) -> StepResult:
        found = real(provider, request)
        is_tried = isinstance(found, ActionRequired) and found.failed_tries is not None
        return Declined(kind=DeclineKind.SOFT, code="declined") if is_tried else found

    monkeypatch.setattr(BookkeepingProvider, "_state", state)


def _no_last_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A paid object is never read again."""
    monkeypatch.setattr(closed_attempts, "with_final_read", lambda owner, _attempt: owner)


def _expiry_computed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The object's expiry is that of each send, not the stored one."""
    real = charge_session.charge_request_of

    def later(payment: Payment, attempt: Attempt) -> ChargeRequest:
        request = real(payment, attempt)
        hosted = request.hosted and replace(
            request.hosted, expires_at_ms=request.hosted.expires_at_ms + payment.lease.epoch
        )
        return replace(request, hosted=hosted)

    monkeypatch.setattr(charge_session, "charge_request_of", later)
    monkeypatch.setattr(ChargeSession, "same_request", lambda _session: True)


def _lost_creation_is_forgotten_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object whose address was given out counts as never opened."""
    monkeypatch.setattr(BookkeepingProvider, "may_have_charged", lambda _provider, _progress: False)


@pytest.mark.parametrize(
    "broken",
    [
        _weaker_proof,
        _closing_without_reading,
        _choice_is_not_used_up,
        _failed_try_ends_the_object,
        _no_last_read,
        _expiry_computed_anew,
        _lost_creation_is_forgotten_with_its_address,
    ],
)
def test_a_broken_design_is_found(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    for seed in range(SEEDS):
        try:
            run(seed)
        except (AssertionError, PayFlowXError):
            return
    pytest.fail("no run noticed it")
