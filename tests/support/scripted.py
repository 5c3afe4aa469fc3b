"""A provider that answers what a test tells it to, and remembers what it was asked."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.outcome import (
    Authorized,
    ConfirmedCancelled,
    NotFound,
    Outcome,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.refund_list import ProviderRefund, RefundList, RefundListUnavailable, RefundsRead
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode

Answer = StepResult | Exception
OperationAnswer = Outcome | Exception | str


def moved(request: OperationRequest, reference: str | None = None) -> Succeeded:
    """A success that matches the operation."""
    return Succeeded(
        reference=reference or f"ref-{request.provider_key}",
        amount=request.amount,
        currency=request.currency,
        merchant_reference=request.provider_key,
    )


def charged(request: ChargeRequest, reference: str | None = None) -> Succeeded:
    """A success that matches the charge."""
    return Succeeded(
        reference=reference or f"ref-{request.provider_key}",
        amount=request.amount,
        currency=request.currency,
        merchant_reference=request.provider_key,
    )


def authorized(request: ChargeRequest, reference: str | None = None) -> Authorized:
    """Held, as asked for."""
    return Authorized(
        reference=reference or f"ref-{request.provider_key}",
        amount=request.amount,
        currency=request.currency,
        merchant_reference=request.provider_key,
    )


@dataclass
class ScriptedProvider:
    """Answers in order; the string "charged" stands for a matching success. When the script ends: success."""

    name: str
    able: Capabilities
    charges: list[Answer | str] = field(default_factory=list)
    inquiries: list[Answer | str] = field(default_factory=list)
    cancellations: list[Answer | str] = field(default_factory=list)
    completions: list[Answer | str] = field(default_factory=list)
    captures_by_us: bool = False
    """An authorization of a payment with automatic capture waits for our own capture."""
    steps: tuple[str, ...] = ()
    """Facts that must be stored before the charging request may leave."""
    sent: list[tuple[str, ChargeRequest]] = field(default_factory=list)
    hash_salt: str = ""
    moves: list[OperationAnswer] = field(default_factory=list)
    operation_inquiries: list[OperationAnswer] = field(default_factory=list)
    kinds: frozenset[OperationKind] = frozenset(OperationKind)
    partial_captures: bool = True
    moved: list[tuple[str, OperationRequest]] = field(default_factory=list)
    refunds: list[ProviderRefund] | None = None
    """All refunds of the charge; None: it has no such list."""
    provider_events: dict[bytes, ProviderEvent] = field(default_factory=dict)
    """By the body of the webhook that says so; any other is forged."""

    @property
    def capabilities(self) -> Capabilities:
        return self.able

    def request_hash(self, request: ChargeRequest) -> str:
        content = f"{self.hash_salt}:{request.provider_key}:{request.amount}:{request.token}"
        return hashlib.sha256(content.encode()).hexdigest()

    def may_have_charged(self, progress: Mapping[str, str]) -> bool:
        return all(step in progress for step in self.steps)

    def charge(self, request: ChargeRequest, account: Account) -> StepResult:
        self.sent.append(("charge", request))
        held = request.capture is CaptureMode.MANUAL
        return self._next(self.charges, request, authorized(request) if held else charged(request))

    def completes(self, request: ChargeRequest) -> bool:
        return self.captures_by_us and request.capture is CaptureMode.AUTOMATIC

    def can_cancel(self, request: ChargeRequest) -> bool:
        return self.able.can_cancel_and_confirm or self.completes(request)

    def complete(self, request: ChargeRequest, account: Account) -> StepResult:
        self.sent.append(("complete", request))
        return self._next(self.completions, request, charged(request, request.reference))

    def inquire(self, request: ChargeRequest, account: Account) -> Outcome:
        self.sent.append(("inquire", request))
        return self._next(self.inquiries, request, NotFound())  # type: ignore[return-value]

    def cancel_and_confirm(self, request: ChargeRequest, account: Account) -> Outcome:
        self.sent.append(("fence", request))
        return self._next(
            self.cancellations,
            request,
            ConfirmedCancelled() if self.can_cancel(request) else Unknown(code="no_fence"),
        )  # type: ignore[return-value]

    # -- captures, voids and refunds

    def supports(self, request: OperationRequest) -> bool:
        partial = request.kind is OperationKind.CAPTURE and request.amount < request.charge_amount
        return request.kind in self.kinds and (self.partial_captures or not partial)

    def operation_hash(self, request: OperationRequest) -> str:
        content = f"{self.hash_salt}:{request.kind}:{request.provider_key}:{request.amount}"
        return hashlib.sha256(content.encode()).hexdigest()

    def move(self, request: OperationRequest, account: Account) -> Outcome:
        self.moved.append(("move", request))
        return _next_operation(self.moves, request, moved(request))

    def inquire_operation(self, request: OperationRequest, account: Account) -> Outcome:
        self.moved.append(("inquire", request))
        return _next_operation(self.operation_inquiries, request, NotFound())

    @property
    def lists_refunds(self) -> bool:
        return self.refunds is not None

    def refunds_of(self, request: ChargeRequest, account: Account) -> RefundsRead:
        self.sent.append(("refunds", request))
        return (
            RefundListUnavailable(code="no_refund_list") if self.refunds is None else RefundList(refunds=self.refunds)
        )

    def moves_of(self, what: str) -> int:
        return sum(1 for kind, _ in self.moved if kind == what)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        signed = any(webhook.headers.get("signature") == secret for secret in secrets)
        if not signed or webhook.body not in self.provider_events:
            raise InvalidSignatureError
        return self.provider_events[webhook.body]

    def asked(self, what: str) -> int:
        return sum(1 for kind, _ in self.sent if kind == what)

    def _next(self, script: list[Answer | str], request: ChargeRequest, otherwise: StepResult) -> StepResult:
        answer = script.pop(0) if script else otherwise
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return charged(request)
        return answer


def _next_operation(script: list[OperationAnswer], request: OperationRequest, otherwise: Outcome) -> Outcome:
    answer = script.pop(0) if script else otherwise
    if isinstance(answer, Exception):
        raise answer
    return moved(request) if isinstance(answer, str) else answer


@dataclass
class ScriptedProviders:
    """Implements `Providers`."""

    providers: dict[str, ScriptedProvider]

    def get(self, name: str) -> ScriptedProvider:
        return self.providers[name]

    def capabilities(self) -> Mapping[str, Capabilities]:
        return {name: provider.able for name, provider in self.providers.items()}
