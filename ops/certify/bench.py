"""Sends requests of our connectors and remembers each exchange, masked."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, runtime_checkable

from ops.certify.masking import masked_answer, masked_request
from payflowx.domain.payments.outcome import Authorized, Outcome, Progress, StepResult, Unknown
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.limits import MAX_STEPS_PER_ATTEMPT
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import (
    Credentials,
    HttpClient,
    HttpRequest,
    HttpResponse,
    HttpResult,
    NoAnswer,
    NoConnection,
)
from payflowx.providers.http_provider import HttpProvider
from payflowx.providers.registry import connector

_ID_CHARS: Final = 12
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
PAYER: Final = Customer(
    id="certify", name="Certify Payer", email="certify@example.com", phone="+919000090000", country="IN"
)
"""Nobody: the objects in the sandbox are recognized by this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, fit for the report."""

    request: str
    status: int | None
    answer: Any


@dataclass(slots=True, kw_only=True)
class RecordingClient:
    """Implements `HttpClient`: sends through another one, and remembers."""

    inner: HttpClient
    known: tuple[str, ...]
    exchanges: list[Exchange] = field(default_factory=list)

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        result = self.inner.send(request, endpoint)
        status, answer = None, None
        match result:
            case HttpResponse():
                status, answer = result.status, masked_answer(result, self.known)
            case NoConnection(code=code) | NoAnswer(code=code):
                answer = code
        self.exchanges.append(Exchange(request=masked_request(request), status=status, answer=answer))
        return result


@dataclass(frozen=True, slots=True)
class _Secrets:
    """Implements `Secrets` for one account."""

    held: Credentials

    def credentials(self, secret_arn: str) -> Credentials:  # noqa: ARG002 - the port's signature
        return self.held

    def webhook_secrets(self, secret_arn: str) -> tuple[str, ...]:  # noqa: ARG002 - the port's signature
        return ()


@runtime_checkable
class _Captures(Protocol):
    """A provider that leaves the capture of an automatic payment to us."""

    def completes(self, request: ChargeRequest) -> bool: ...
    def complete(self, request: ChargeRequest, account: Account) -> StepResult: ...


@dataclass(slots=True, kw_only=True)
class Bench:
    """One run. `charges` and `operations` are the objects that it made, by the names that the checks give them."""

    provider: str
    endpoint: str
    credentials: Credentials
    token: str | None
    client: HttpClient
    clock_ms: Callable[[], int]
    pause: Callable[[float], None]
    """Wait for seconds: some providers finish a refund a moment later."""
    payer: Callable[[str], None] | None = None
    """Shows an address to a person who will pay there; None: nobody is at the keyboard."""
    charges: dict[str, ChargeRequest] = field(default_factory=dict)
    operations: dict[str, OperationRequest] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    """The names of the checks that ended as expected."""
    run: str = field(default_factory=lambda: "".join(secrets.choice(_ALPHABET) for _ in range(_ID_CHARS)))
    keys: int = 0
    recorder: RecordingClient = field(init=False)

    def __post_init__(self) -> None:
        payer = (PAYER.name or "", PAYER.email or "", PAYER.phone or "")
        known = (self.credentials.key_id, self.credentials.key_secret, self.token or "", *payer)
        self.recorder = RecordingClient(inner=self.client, known=known)

    @property
    def account(self) -> Account:
        return Account(provider=self.provider, account_id="certify", endpoint=self.endpoint, secret_arn="")

    def connected(self, credentials: Credentials | None = None) -> HttpProvider:
        """Return the provider, with the account's credentials or with others."""
        return HttpProvider(
            connector=connector(self.provider),
            http=self.recorder,
            secrets=_Secrets(credentials or self.credentials),
            clock_ms=self.clock_ms,
            observe=lambda *_: None,
        )

    def new_charge(self, token: str, **changes: Any) -> ChargeRequest:
        """A small payment under a key of its own."""
        able = connector(self.provider).capabilities
        values: dict[str, Any] = {
            "provider_key": self.new_key(),
            "amount": 10_000,
            "currency": "INR" if able.currencies and "INR" in able.currencies else "USD",
            "token": token,
            "payment_method_type": "card",
            "capture": CaptureMode.AUTOMATIC,
            "customer": PAYER,
            "description": "PayFlowX certification",
            "return_url": "https://example.com/return",
            **changes,
        }
        return ChargeRequest(**values)

    def pay(self, name: str, charge: ChargeRequest) -> Outcome:
        """Send all steps of a charge, as the worker does, and remember what it learned."""
        for _ in range(MAX_STEPS_PER_ATTEMPT):
            self.charges[name] = charge
            result = self.connected().charge(charge, self.account)
            if not isinstance(result, Progress):
                self.charges[name] = replace(charge, reference=getattr(result, "reference", None))
                return result
            charge = replace(charge, progress={**charge.progress, **result.facts})
        return Unknown(code="too_many_steps")

    def inquire(self, name: str) -> Outcome:
        """Inquire about a payment, and remember its id at the provider."""
        charge = self.charges[name]
        provider: Any = self.connected()
        outcome: Outcome = provider.inquire(charge, self.account)
        reference = getattr(outcome, "reference", None)
        if reference:
            self.charges[name] = charge = replace(charge, reference=reference)
        captured_by_us = isinstance(provider, _Captures) and provider.completes(charge)
        if captured_by_us and isinstance(outcome, Authorized) and charge.capture is CaptureMode.AUTOMATIC:
            provider.complete(charge, self.account)
            outcome = provider.inquire(charge, self.account)
        return outcome

    def new_operation(self, kind: OperationKind, charge: ChargeRequest, amount: int) -> OperationRequest:
        return OperationRequest(
            kind=kind,
            provider_key=self.new_key(),
            amount=amount,
            currency=charge.currency,
            charge_key=charge.provider_key,
            charge_reference=charge.reference or "",
            charge_amount=charge.amount,
            charge_progress=charge.progress,
        )

    def new_key(self) -> str:
        """Return a key in the form of ours. All keys of a run have its name in common."""
        number, self.keys = self.keys, self.keys + 1
        return f"pfx-ct{self.run}{_ALPHABET[number // 32]}{_ALPHABET[number % 32]}-1"
