"""Ports of providers: accounts, requests and calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.payments.outcome import Outcome, StepResult
from payflowx.domain.payments.payment import Customer, private_values
from payflowx.domain.payments.refund_list import RefundsRead
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.statuses import CaptureMode, Initiator


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A merchant's account at a provider. Secrets Manager holds the credentials at `secret_arn`."""

    provider: str
    account_id: str
    endpoint: str
    secret_arn: str
    webhook_token: str | None = field(default=None, repr=False)
    """The last part of the URL to which the provider posts its webhooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """All facts that a provider needs to charge one attempt, or to inquire about it."""

    provider_key: str
    amount: int
    currency: str
    token: str = field(repr=False)
    payment_method_type: str
    capture: CaptureMode
    customer: Customer | None = field(default=None, repr=False)
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    statement_descriptor_suffix: str | None = None
    receipt_email: str | None = field(default=None, repr=False)
    initiator: Initiator = Initiator.CUSTOMER
    save_payment_method: bool = False
    return_url: str | None = None
    charge_deadline_ms: int | None = None
    """After this time no attempt of the payment begins: an object that can be paid may lapse by itself afterwards."""
    sent_at_ms: int | None = None
    """The time of the first send of the attempt, for inquiries, and for a hosted object whose lifetime begins then.

    No part of any other charge's request.
    """
    progress: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    hosted: HostedRequest | None = None
    """The charge is made by the payer in a hosted object; the request has no token."""

    @property
    def private_values(self) -> tuple[str, ...]:
        """Values that the provider may repeat in a message and that no message may keep, longest first."""
        return private_values(self.customer, self.token, self.receipt_email)


class Provider(Protocol):
    """One provider's API. Every call sends one request at a time and never retries by itself."""

    @property
    def capabilities(self) -> Capabilities: ...

    def request_hash(self, request: ChargeRequest) -> str:
        """Return a hash of the requests to be sent; equal hashes mean equal requests."""
        ...

    def may_have_charged(self, progress: Mapping[str, str]) -> bool:
        """Return whether, with these steps stored, a request that charges may have been sent."""
        ...

    def charge(self, request: ChargeRequest, account: Account) -> StepResult:
        """Send the next step. `Progress` must be stored before the step after it is sent."""
        ...

    def completes(self, request: ChargeRequest) -> bool:
        """Return whether an authorization of this charge is captured by us, by `complete`."""
        ...

    def can_cancel(self, request: ChargeRequest) -> bool:
        """Return whether `cancel_and_confirm` can prove that this charge will take no money."""
        ...

    def complete(self, request: ChargeRequest, account: Account) -> StepResult:
        """Capture the authorization `request.reference`. A repeated capture takes no more money."""
        ...

    def inquire(self, request: ChargeRequest, account: Account) -> Outcome:
        """Inquire about the attempt. Changes nothing at the provider."""
        ...

    def cancel_and_confirm(self, request: ChargeRequest, account: Account) -> Outcome:
        """Cancel the charge and read it back; `ConfirmedCancelled` only with that proof."""
        ...

    def supports(self, request: OperationRequest) -> bool:
        """Return whether the provider supports this kind of operation for this part of the charge."""
        ...

    def operation_hash(self, request: OperationRequest) -> str:
        """Return a hash of the request to be sent; equal hashes mean equal requests."""
        ...

    def move(self, request: OperationRequest, account: Account) -> Outcome:
        """Send the capture, void or refund."""
        ...

    def inquire_operation(self, request: OperationRequest, account: Account) -> Outcome:
        """Inquire about the operation by our key or the provider's id. Changes nothing there."""
        ...

    @property
    def lists_refunds(self) -> bool:
        """Return whether the refunds of a charge can be read."""
        ...

    def refunds_of(self, request: ChargeRequest, account: Account) -> RefundsRead:
        """Read all refunds of a charge, whoever requested them. Changes nothing at the provider."""
        ...

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """Parse an authentic webhook. Raises `InvalidSignatureError` for any other."""
        ...


class RefundListProvider(Protocol):
    """A provider whose refunds of a charge can be read, if its connector has such a list."""

    @property
    def lists_refunds(self) -> bool: ...

    def refunds_of(self, request: ChargeRequest, account: Account) -> RefundsRead: ...


class RefundLists(Protocol):
    """The providers of this deployment, for reads of refunds."""

    def get(self, name: str) -> RefundListProvider: ...


class Providers(Protocol):
    """The providers of this deployment."""

    def get(self, name: str) -> Provider: ...
    def capabilities(self) -> Mapping[str, Capabilities]: ...
