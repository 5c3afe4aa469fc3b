"""The interface of a provider's folder: data and pure functions, no I/O.

A charge is a list of steps. Each step builds one request and reads one answer. Facts that a step learns (an order
id) are stored before the next request is sent. As long as the facts that the charging step needs are not stored, no
request that charges can have been sent, so a crash between two steps never leaves the outcome unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.outcome import Rejected, StepResult
from payflowx.domain.payments.refund_list import ProviderRefund
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.providers.refusals import NO_REFUSALS, RefusalTable


def _always(_request: ChargeRequest) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request and the function that reads its answer.

    `build` must always return the same bytes for the same charge: their hash decides whether a re-send is the same
    request. `read` gets complete answers only, of any status; it returns `Unknown` for what it does not understand.
    `yields` names the facts that the step adds to the progress; the step is done when all of them are stored.
    """

    name: str
    build: Callable[[ChargeRequest], HttpRequest]
    read: Callable[[ChargeRequest, HttpResponse], StepResult]
    yields: tuple[str, ...] = ()
    charges: bool = False
    """Once this request may have been sent, the payer may have been charged."""
    needed: Callable[[ChargeRequest], bool] = _always
    """Whether the facts of the steps before it leave anything to ask. For steps of inquiries and cancellations only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStep:
    """One request of a capture, void or refund. The rules are those of `Step`."""

    name: str
    build: Callable[[OperationRequest], HttpRequest]
    read: Callable[[OperationRequest, HttpResponse], StepResult]
    yields: tuple[str, ...] = ()
    moves: bool = False
    """Once this request may have been sent, money may have moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """The provider's hosted object: it is created, read whole with all its payments, and closed.

    Every optional feature that changes the amount or sends messages to the payer is switched off explicitly. An address
    of the payer that begins with `/` belongs to the account's endpoint: only the account knows production and sandbox.
    """

    create: Sequence[Step]
    """No step charges, and the last one yields nothing. It returns `ActionRequired` with the object's id and address.

    The last step compares the created object's own amount, currency and reference with the request: an object that
    differs is `Rejected`, and nobody gets its address. A repeated request must return the same object.
    """

    inquiry: Callable[[ChargeRequest], Sequence[Step]]
    """Reads the object, and every payment inside it, by `request.hosted.object_id`, or by our key without one.

    An open object is `ActionRequired`, whatever failed inside it. A payment that the bank processes is `Accepted`.
    """

    close: Callable[[ChargeRequest], Sequence[Step]]
    """Closes the object and reads it whole. Only that read may return `ConfirmedCancelled`."""

    unable: Callable[[ChargeRequest], Rejected | None]
    """As `Connector.unable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunds:
    """The list of all refunds of one charge, in the payment's currency, read from the refund objects."""

    request: Callable[[ChargeRequest], HttpRequest]
    read: Callable[[ChargeRequest, HttpResponse], Sequence[ProviderRefund]]
    """Raises ValueError for an answer that it does not understand, and for a list that is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The provider's report of transactions, and its settlement file. A gap in either reconciles nothing."""

    request: Callable[[ReportPage], HttpRequest]
    """Builds the request for one page. Raises ValueError for a page that the provider cannot give."""

    read: Callable[[ReportPage, HttpResponse], ReportAnswer]
    """Reads the page that was requested, because some answers do not state their position in the list.

    Raises ValueError for an answer that it does not understand.
    """

    read_settlement: Callable[[Mapping[str, str]], ReportEntry | None]
    """Reads a row of the settlement file by its columns; None for anything but a charge or a refund.

    Raises ValueError, or KeyError for a missing column.
    """


def _same_endpoint(endpoint: str, _request: HttpRequest) -> str:
    return endpoint


def _no_steps(_request: ChargeRequest) -> Sequence[Step]:
    return ()


def _nothing_missing(_request: ChargeRequest) -> Rejected | None:
    return None


def _no_step(_request: ChargeRequest) -> Step | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """A provider as data and pure functions."""

    capabilities: Capabilities

    authenticate: Callable[[HttpRequest, Credentials], HttpRequest]
    """Adds the credentials. Request hashes and logs never contain the result."""

    endpoint_of: Callable[[str, HttpRequest], str] = _same_endpoint
    """The host that serves a request, from the endpoint that the account stores: some providers have several."""

    charge_steps: Sequence[Step]
    """Exactly one step charges, and it is the last."""

    unable: Callable[[ChargeRequest], Rejected | None] = _nothing_missing
    """The refusal of a charge that lacks what the provider demands: nothing is sent. None for any other."""

    completion_step: Callable[[ChargeRequest], Step | None] = _no_step
    """The capture of an authorization of a payment with automatic capture, where the provider leaves it to us.

    A repeated request must take no more money than the first one. None: the provider captures by itself.
    """

    hosted: Hosted | None = None
    """None exactly when `capabilities.hosted` is None: a payer cannot choose this provider."""

    inquiry_steps: Callable[[ChargeRequest], Sequence[Step]]
    """Reads only. They run in order and collect facts until one returns an outcome."""

    cancel_steps: Callable[[ChargeRequest], Sequence[Step]] = _no_steps
    """Cancel, then read back; only the read may return `ConfirmedCancelled`. Empty where nothing can be cancelled."""

    operation_steps: Callable[[OperationRequest], Sequence[OperationStep]]
    """The one request that moves the money. Empty for an unsupported operation, which is then not accepted."""

    operation_inquiry_steps: Callable[[OperationRequest], Sequence[OperationStep]]
    """Reads only, by our key or by the provider's id, never by the amount."""

    read_webhook: Callable[[Webhook, Sequence[str]], ProviderEvent]
    """Any of the secrets may have signed it: two are valid during a rotation. Raises `InvalidSignatureError`."""

    refusals: RefusalTable = NO_REFUSALS
    """The refusals that the provider documents as made before execution."""

    refunds: Refunds | None = None
    """None: refunds that were made at the provider are seen in its report only, and require manual review."""

    reports: Reports | None = None
    """None exactly when `capabilities.reports` is None: reconciliation skips this provider."""

    def read_settlement(self, row: Mapping[str, str]) -> ReportEntry | None:
        """As `Reports.read_settlement`. Raises ValueError for a provider without a settlement file."""
        if self.reports is None:
            raise ValueError(f"{self.capabilities.provider} has no settlement file")
        return self.reports.read_settlement(row)
