"""Builds requests. Pure. A command is a form without key and hash; `authenticate` adds both."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from urllib.parse import parse_qsl, urlencode

from payflowx.domain.payments.outcome import NextAction
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.money import to_major
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.transport import Credentials, HttpRequest
from payflowx.providers.payu.fields import invoice_number, payer_of, product_of, udfs_of
from payflowx.providers.payu.hosts import PAGE_PATH, page_endpoint
from payflowx.providers.payu.signature import command_hash, form_hash

COMMANDS_PATH: Final = "/merchant/postservice.php?form=2"
INDIA: Final = timezone(timedelta(hours=5, minutes=30))
"""PayU's times are Indian time, without a zone."""

_PAGE_NEEDS: Final = ("firstname", "email", "phone")
"""The payer's facts that the payment page requires."""


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Add the merchant's key and the command's hash to the form: PayU accepts them only in the body."""
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    name, var1 = fields.get("command", ""), fields.get("var1", "")
    signed = {
        "key": credentials.key_id,
        **fields,
        "hash": command_hash(credentials.key_id, name, var1, credentials.key_secret),
    }
    return HttpRequest(method=request.method, path=request.path, headers=request.headers, body=_form(signed))


def debit_mandate(request: ChargeRequest) -> HttpRequest:
    """Charge a registered mandate. The token is the PayU id of its registration; our key is the transaction id.

    For a card, the invoice number must be that of the pre-debit notification. These bytes may change after an erasure
    of personal data: PayU is never sent the same debit twice.
    """
    details = {
        "authpayuid": request.token,
        "invoiceDisplayNumber": invoice_number(request),
        "amount": amount_text(request.amount, request.currency),
        "txnid": request.provider_key,
        **payer_of(request),
        **udfs_of(request),
    }
    return command("si_transaction", json.dumps(details, separators=(",", ":")))


def verify_payment(request: ChargeRequest) -> HttpRequest:
    """Read the transaction by our key: the authoritative state."""
    return command("verify_payment", request.provider_key)


def capture(request: OperationRequest) -> HttpRequest:
    """Capture the authorization; PayU queues the request."""
    return _moving("capture_transaction", request)


def cancel_or_refund(request: OperationRequest) -> HttpRequest:
    """One command for both: PayU voids an authorized payment and refunds a captured one."""
    return _moving("cancel_refund_transaction", request)


def actions_of_payment(request: OperationRequest) -> HttpRequest:
    """Read every capture, void and refund of a payment; ours carries our key as its token."""
    return actions_of(request.charge_reference)


def actions_of(payu_id: str) -> HttpRequest:
    """List the payment's captures, voids and refunds, whoever requested them."""
    return command("check_action_status", payu_id, "payuid")


def report_page(page: ReportPage) -> HttpRequest:
    """List all transactions of a time range, to the second; PayU has no pages."""
    return command("get_transaction_info", _time(page.from_ms), _time(page.until_ms - 1))


def payment_page(request: ChargeRequest, credentials: Credentials, *, endpoint: str, return_url: str) -> NextAction:
    """The form that a payer's browser posts to PayU's payment page, at the account's second host.

    Not a step yet: its hash needs the salt, which neither `build` nor `read` may see (see docs/providers/payu.md).
    Raises ValueError without the payer's name, e-mail address and phone, which the page requires.
    """
    payer = payer_of(request)
    missing = [name for name in _PAGE_NEEDS if name not in payer]
    if missing:
        raise ValueError(f"the payment page requires {', '.join(missing)}")
    fields = {
        "key": credentials.key_id,
        "txnid": request.provider_key,
        "amount": amount_text(request.amount, request.currency),
        "productinfo": product_of(request),
        **payer,
        **udfs_of(request),
        "surl": return_url,
        "furl": return_url,
    }
    signed = {**fields, "hash": form_hash(fields, credentials.key_secret)}
    return NextAction(kind="form_post", url=page_endpoint(endpoint) + PAGE_PATH, fields=signed)


def amount_text(amount: int, currency: str) -> str:
    """The amount in rupees: 1050 becomes "10.50". It is part of hashes, so it has exactly one form."""
    return format(to_major(amount, currency), "f")


def _moving(name: str, request: OperationRequest) -> HttpRequest:
    """Token second, amount third, as in PayU's own SDKs; the other order refunds the wrong payment."""
    amount = amount_text(request.amount, request.currency)
    return command(name, request.charge_reference, request.provider_key, amount)


def command(name: str, *variables: str) -> HttpRequest:
    """A command with its variables, without key and hash."""
    fields = {"command": name, **{f"var{place}": value for place, value in enumerate(variables, start=1)}}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return HttpRequest(method="POST", path=COMMANDS_PATH, headers=headers, body=_form(fields))


def _form(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


def _time(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms // SECOND_MS, UTC).astimezone(INDIA)
    return at.strftime("%Y-%m-%d %H:%M:%S")
