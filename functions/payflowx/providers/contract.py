"""What a provider's folder has to offer: data and pure functions, no I/O.

A charge is a list of steps. Each step builds one request and reads one answer. What a step learned (an order's id)
is stored before the next one is sent, so that a crash in between is never a riddle: as long as the facts that the
charging step needs are not stored, nothing that charges can have left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.outcome import MovementResult, StepResult
from payflowx.domain.providers.events import Notice, Webhook
from payflowx.domain.providers.ports import Charge
from payflowx.domain.reconciliation.reports import StatementAnswer, StatementEntry, StatementPage
from payflowx.domain.shared.operation_request import Movement
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request and how to read its answer.

    `build` must give the same bytes for the same charge, for ever: their hash decides whether a re-send is the
    same request. `read` sees complete answers only, of any status; what it cannot understand is `Unknown`.
    `yields` names the facts that the step adds to the progress; the step is done when all of them are there.
    """

    name: str
    build: Callable[[Charge], HttpRequest]
    read: Callable[[Charge, HttpResponse], StepResult]
    yields: tuple[str, ...] = ()
    charges: bool = False
    """From the moment this request may have left, money may have been taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementStep:
    """One request of a capture, void or refund. The rules are those of `Step`."""

    name: str
    build: Callable[[Movement], HttpRequest]
    read: Callable[[Movement, HttpResponse], MovementResult]
    yields: tuple[str, ...] = ()
    moves: bool = False
    """From the moment this request may have left, money may have moved."""


class Settling(Protocol):
    """What a gateway offers beyond the charge. Pure, like all of it."""

    def movement_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """One request, which moves the money. Empty for what the provider does not have: then it is not accepted."""
        ...

    def movement_inquiry_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """Reads only, by our key or by the provider's id, never by the amount."""
        ...

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> Notice:
        """Any of the secrets may have signed it: two are valid during a rotation. Raises `ForgedWebhookError`."""
        ...

    def statement_request(self, page: StatementPage) -> HttpRequest:
        """One page of the provider's own list."""
        ...

    def read_statement(self, page: StatementPage, response: HttpResponse) -> StatementAnswer:
        """`page`: what was asked for, since not every answer says where in the list it stands.

        Raises ValueError for what cannot be understood: a list with holes reconciles nothing.
        """
        ...

    def read_settlement(self, row: Mapping[str, str]) -> StatementEntry | None:
        """A row of the vendor's settlement file, by its columns; None for what is neither a charge nor a refund.

        Raises ValueError, or KeyError for a column that is missing: a file with holes reconciles nothing.
        """
        ...


class Gateway(Settling, Protocol):
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

    def inquiry_steps(self, charge: Charge) -> Sequence[Step]:
        """Reads only. They run in order, facts adding up, until one gives an outcome."""
        ...

    def fence_steps(self, charge: Charge) -> Sequence[Step]:
        """Cancel, then read back; only the read may say `Fenced`. Empty where the provider has no fence."""
        ...
