"""A provider that answers what a test tells it to, and remembers what it was asked."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.outcome import (
    Authorized,
    Charged,
    Fenced,
    Moved,
    MovementOutcome,
    NotFound,
    Outcome,
    StepResult,
    Unknown,
)
from payflowx.domain.providers.events import ForgedWebhookError, Notice, Webhook
from payflowx.domain.providers.ports import Account, Charge
from payflowx.domain.shared.operation_request import Movement, MovementKind
from payflowx.domain.shared.statuses import CaptureMode

Answer = StepResult | Exception
MovementAnswer = MovementOutcome | Exception | str


def moved(movement: Movement, reference: str | None = None) -> Moved:
    """A success that matches the movement."""
    return Moved(
        reference=reference or f"ref-{movement.provider_key}",
        amount=movement.amount,
        currency=movement.currency,
        merchant_reference=movement.provider_key,
    )


def charged(charge: Charge, reference: str | None = None) -> Charged:
    """A success that matches the charge."""
    return Charged(
        reference=reference or f"ref-{charge.provider_key}",
        amount=charge.amount,
        currency=charge.currency,
        merchant_reference=charge.provider_key,
    )


def authorized(charge: Charge, reference: str | None = None) -> Authorized:
    """Held, as asked for."""
    return Authorized(
        reference=reference or f"ref-{charge.provider_key}",
        amount=charge.amount,
        currency=charge.currency,
        merchant_reference=charge.provider_key,
    )


@dataclass
class ScriptedProvider:
    """Answers in order; the string "charged" stands for a matching success. When the script ends: success."""

    name: str
    able: Capabilities
    charges: list[Answer | str] = field(default_factory=list)
    inquiries: list[Answer | str] = field(default_factory=list)
    fences: list[Answer | str] = field(default_factory=list)
    steps: tuple[str, ...] = ()
    """Facts that must be stored before the charging request may leave."""
    sent: list[tuple[str, Charge]] = field(default_factory=list)
    hash_salt: str = ""
    moves: list[MovementAnswer] = field(default_factory=list)
    movement_inquiries: list[MovementAnswer] = field(default_factory=list)
    kinds: frozenset[MovementKind] = frozenset(MovementKind)
    partial_captures: bool = True
    moved: list[tuple[str, Movement]] = field(default_factory=list)
    notices: dict[bytes, Notice] = field(default_factory=dict)
    """By the body of the webhook that says so; any other is forged."""

    @property
    def capabilities(self) -> Capabilities:
        return self.able

    def request_hash(self, charge: Charge) -> str:
        content = f"{self.hash_salt}:{charge.provider_key}:{charge.amount}:{charge.token}"
        return hashlib.sha256(content.encode()).hexdigest()

    def may_have_charged(self, progress: Mapping[str, str]) -> bool:
        return all(step in progress for step in self.steps)

    def charge(self, charge: Charge, account: Account) -> StepResult:
        self.sent.append(("charge", charge))
        held = charge.capture is CaptureMode.MANUAL
        return self._next(self.charges, charge, authorized(charge) if held else charged(charge))

    def inquire(self, charge: Charge, account: Account) -> Outcome:
        self.sent.append(("inquire", charge))
        return self._next(self.inquiries, charge, NotFound())  # type: ignore[return-value]

    def fence(self, charge: Charge, account: Account) -> Outcome:
        self.sent.append(("fence", charge))
        return self._next(self.fences, charge, Fenced() if self.able.can_fence else Unknown(code="no_fence"))  # type: ignore[return-value]

    # -- captures, voids and refunds

    def can_move(self, movement: Movement) -> bool:
        partial = movement.kind is MovementKind.CAPTURE and movement.amount < movement.charge_amount
        return movement.kind in self.kinds and (self.partial_captures or not partial)

    def movement_hash(self, movement: Movement) -> str:
        content = f"{self.hash_salt}:{movement.kind}:{movement.provider_key}:{movement.amount}"
        return hashlib.sha256(content.encode()).hexdigest()

    def move(self, movement: Movement, account: Account) -> MovementOutcome:
        self.moved.append(("move", movement))
        return _next_movement(self.moves, movement, moved(movement))

    def inquire_movement(self, movement: Movement, account: Account) -> MovementOutcome:
        self.moved.append(("inquire", movement))
        return _next_movement(self.movement_inquiries, movement, NotFound())

    def moves_of(self, what: str) -> int:
        return sum(1 for kind, _ in self.moved if kind == what)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> Notice:
        signed = any(webhook.headers.get("signature") == secret for secret in secrets)
        if not signed or webhook.body not in self.notices:
            raise ForgedWebhookError
        return self.notices[webhook.body]

    def asked(self, what: str) -> int:
        return sum(1 for kind, _ in self.sent if kind == what)

    def _next(self, script: list[Answer | str], charge: Charge, otherwise: StepResult) -> StepResult:
        answer = script.pop(0) if script else otherwise
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return charged(charge)
        return answer


def _next_movement(script: list[MovementAnswer], movement: Movement, otherwise: MovementOutcome) -> MovementOutcome:
    answer = script.pop(0) if script else otherwise
    if isinstance(answer, Exception):
        raise answer
    return moved(movement) if isinstance(answer, str) else answer


@dataclass
class ScriptedProviders:
    """Implements `Providers`."""

    providers: dict[str, ScriptedProvider]

    def get(self, name: str) -> ScriptedProvider:
        return self.providers[name]

    def capabilities(self) -> Mapping[str, Capabilities]:
        return {name: provider.able for name, provider in self.providers.items()}
