"""Every request that a connector builds for a charge and what follows it, by name."""

from collections.abc import Sequence
from typing import Any

from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest
from payflowx.providers.contract import Connector
from tests.sdk.official import KEY_ID, KEY_SECRET

KEY = "pfx-abcdefghijklmnop-1"
OPERATION_KEY = "pfx-qrstuvwxyz234567-1"
PAYER = Customer(id="cust_A1b2C3d4", name="Payer", email="payer@example.com", phone="+919876543210")
PAGE = ReportPage(from_ms=1_700_000_000_000, until_ms=1_700_003_600_000)
CREDENTIALS = Credentials(key_id=KEY_ID, key_secret=KEY_SECRET)


def charge_request(**changes: Any) -> ChargeRequest:
    """1999 minor units by card, to be captured at once."""
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": 1999,
        "currency": "INR",
        "token": "token_1",
        "payment_method_type": "card",
        "capture": CaptureMode.AUTOMATIC,
        **changes,
    }
    return ChargeRequest(**values)


def operation_request(kind: OperationKind, charge: ChargeRequest, **changes: Any) -> OperationRequest:
    """A part of the charge, or all of it where only all can be had."""
    values: dict[str, Any] = {
        "kind": kind,
        "provider_key": OPERATION_KEY,
        "amount": 500 if kind is OperationKind.REFUND else charge.amount,
        "currency": charge.currency,
        "charge_key": charge.provider_key,
        "charge_reference": charge.reference or "charge_1",
        "charge_amount": charge.amount,
        "charge_progress": charge.progress,
        **changes,
    }
    return OperationRequest(**values)


def every_request(connector: Connector, charge: ChargeRequest) -> dict[str, HttpRequest]:
    """By conversation and step, such as `charge/pay`; with credentials."""
    requests = {
        **_built("charge", connector.charge_steps, charge),
        **_built("inquiry", connector.inquiry_steps(charge), charge),
        **_built("cancel", connector.cancel_steps(charge), charge),
    }
    for kind in OperationKind:
        asked = operation_request(kind, charge)
        requests |= _built(kind.value, connector.operation_steps(asked), asked)
        requests |= _built(f"{kind.value} inquiry", connector.operation_inquiry_steps(asked), asked)
    requests["report"] = connector.reports.request(PAGE)
    return {name: connector.authenticate(request, CREDENTIALS) for name, request in requests.items()}


def _built(conversation: str, steps: Sequence[Any], asked: Any) -> dict[str, HttpRequest]:
    return {f"{conversation}/{step.name}": step.build(asked) for step in steps}
