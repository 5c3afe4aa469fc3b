"""What a provider's folder has to offer: data and pure functions, no I/O.

A charge is a list of steps. Each step builds one request and reads one answer. What a step learned (an order's id)
is stored before the next one is sent, so that a crash in between is never a riddle: as long as the facts that the
charging step needs are not stored, nothing that charges can have left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.capabilities import Capabilities
from payflowx.domain.outcome import StepResult
from payflowx.domain.ports import Charge
from payflowx.domain.transport import Credentials, HttpRequest, HttpResponse


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


class Gateway(Protocol):
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
