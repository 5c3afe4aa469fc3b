"""What a provider's folder has to offer: data and pure functions, no I/O.

A charge is a list of steps. Each step builds one request and reads one answer. What a step learned (an order's id)
is stored before the next one is sent, so that a crash in between is never a riddle: as long as the facts that the
charging step needs are not stored, nothing that charges can have left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.outcome import OperationStepResult, StepResult
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request and how to read its answer.

    `build` must give the same bytes for the same charge, for ever: their hash decides whether a re-send is the
    same request. `read` sees complete answers only, of any status; what it cannot understand is `Unknown`.
    `yields` names the facts that the step adds to the progress; the step is done when all of them are there.
    """

    name: str
    build: Callable[[ChargeRequest], HttpRequest]
    read: Callable[[ChargeRequest, HttpResponse], StepResult]
    yields: tuple[str, ...] = ()
    charges: bool = False
    """From the moment this request may have left, money may have been taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStep:
    """One request of a capture, void or refund. The rules are those of `Step`."""

    name: str
    build: Callable[[OperationRequest], HttpRequest]
    read: Callable[[OperationRequest, HttpResponse], OperationStepResult]
    yields: tuple[str, ...] = ()
    moves: bool = False
    """From the moment this request may have left, money may have moved."""


class PostAuthorization(Protocol):
    """What a gateway offers beyond the charge. Pure, like all of it."""

    def operation_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """One request, which moves the money. Empty for what the provider does not have: then it is not accepted."""
        ...

    def operation_inquiry_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """Reads only, by our key or by the provider's id, never by the amount."""
        ...

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """Any of the secrets may have signed it: two are valid during a rotation. Raises `InvalidSignatureError`."""
        ...

    def report_request(self, page: ReportPage) -> HttpRequest:
        """One page of the provider's own list."""
        ...

    def read_report(self, page: ReportPage, response: HttpResponse) -> ReportAnswer:
        """`page`: what was asked for, since not every answer says where in the list it stands.

        Raises ValueError for what cannot be understood: a list with holes reconciles nothing.
        """
        ...

    def read_settlement(self, row: Mapping[str, str]) -> ReportEntry | None:
        """A row of the vendor's settlement file, by its columns; None for what is neither a charge nor a refund.

        Raises ValueError, or KeyError for a column that is missing: a file with holes reconciles nothing.
        """
        ...


class Connector(PostAuthorization, Protocol):
    """A provider: its declaration, its way to authenticate, and its conversations."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do and promises."""
        ...

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """The request with its credentials: headers that no hash and no log may see."""
        ...

    def charge_steps(self) -> Sequence[Step]:
        """Exactly one step charges, and it is the last."""
        ...

    def inquiry_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """Reads only. They run in order, facts adding up, until one gives an outcome."""
        ...

    def cancel_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """Cancel, then read back; only the read may say `ConfirmedCancelled`. Empty where the provider has no fence."""
        ...
